"""Endpoints: made, changed, given new secrets, tried out, ended."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from billing.models import WebhookDelivery, WebhookEndpoint
from billing.outgoing.addresses import check_url
from billing.outgoing.kinds import NAMES, TEST
from billing.outgoing.problems import WebhookEndpointDisabled, WebhookEndpointUnknown
from billing.outgoing.signing import new_secret
from kernel.errors import InvalidInput

DEFAULT_OVERLAP: Final = timedelta(hours=24)
LONGEST_OVERLAP: Final = timedelta(days=30)


def create_endpoint(
    url: str, now: datetime, *, description: str = "", event_types: Collection[str] = (), enabled: bool = True
) -> WebhookEndpoint:
    """A new endpoint, told what happens from now on. Its secret is to be shown this once.

    Raises WebhookUrlRefused, InvalidInput.
    """
    return WebhookEndpoint.objects.create(
        url=check_url(url),
        description=description,
        event_types=check_event_types(event_types),
        enabled=enabled,
        secret=new_secret(),
        created_at=now,
    )


@transaction.atomic
def change_endpoint(endpoint_id: UUID, changes: Mapping[str, Any]) -> WebhookEndpoint:
    """Change the members given: url, description, event_types, enabled. What waits goes to the new address.

    Raises WebhookEndpointUnknown, WebhookUrlRefused, InvalidInput.
    """
    endpoint = _locked(endpoint_id)
    endpoint.url = check_url(changes["url"]) if "url" in changes else endpoint.url
    endpoint.description = changes.get("description", endpoint.description)
    if "event_types" in changes:
        endpoint.event_types = check_event_types(changes["event_types"])
    if changes.get("enabled", endpoint.enabled) != endpoint.enabled:
        endpoint.enabled = changes["enabled"]
        endpoint.disabled_reason, endpoint.failing_since = "", None
    endpoint.save()
    return endpoint


@transaction.atomic
def rotate_secret(endpoint_id: UUID, now: datetime, overlap: timedelta = DEFAULT_OVERLAP) -> WebhookEndpoint:
    """Give the endpoint a new secret; the present one signs beside it for `overlap`. An older one ends at once.

    Raises WebhookEndpointUnknown.
    """
    endpoint = _locked(endpoint_id)
    endpoint.previous_secret, endpoint.previous_until = endpoint.secret, now + overlap
    if not overlap:  # it leaked: nothing is to be signed with it any more
        endpoint.previous_secret, endpoint.previous_until = "", None
    endpoint.secret = new_secret()
    endpoint.save(update_fields=["secret", "previous_secret", "previous_until"])
    return endpoint


def send_test(endpoint_id: UUID, now: datetime) -> WebhookDelivery:
    """Send the endpoint a message of type `test`, soon. Raises WebhookEndpointUnknown, WebhookEndpointDisabled."""
    endpoint = find_endpoint(endpoint_id)
    if not endpoint.enabled:
        raise WebhookEndpointDisabled(f"{endpoint} is disabled; enable it first")
    return WebhookDelivery.objects.create(endpoint=endpoint, kind=TEST, next_try_at=now, created_at=now)


@transaction.atomic
def delete_endpoint(endpoint_id: UUID) -> None:
    """End an endpoint, with its log and what waits for it. Raises WebhookEndpointUnknown."""
    _locked(endpoint_id).delete()


def find_endpoint(endpoint_id: UUID) -> WebhookEndpoint:
    """The endpoint. Raises WebhookEndpointUnknown."""
    endpoint = WebhookEndpoint.objects.filter(pk=endpoint_id).first()
    if endpoint is None:
        raise WebhookEndpointUnknown(f"there is no webhook endpoint {endpoint_id}")
    return endpoint


def check_event_types(event_types: Collection[str]) -> list[str]:
    """The types to tell, each once, in our order; none: everything. Raises InvalidInput."""
    for name in event_types:
        if name not in NAMES:
            raise InvalidInput(f"{name!r} is not a type of message; there are {', '.join(NAMES)}", field="event_types")
    return [name for name in NAMES if name in event_types]


def _locked(endpoint_id: UUID) -> WebhookEndpoint:
    endpoint = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint_id).first()
    if endpoint is None:
        raise WebhookEndpointUnknown(f"there is no webhook endpoint {endpoint_id}")
    return endpoint
