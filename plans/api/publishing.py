"""POST /v1/plans/{key}/publish: put a plan's draft on sale, once nothing speaks against it or somebody says why not."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import TextField
from access.views import ApiView, StrictSerializer
from kernel.clock import utc_now
from plans import problems
from plans.api.serializers import PlanSerializer
from plans.auditing import Acknowledged
from plans.models import PlanVersion
from plans.queries.on_sale import plans_on_sale
from plans.services.publishing import publish_plan_version


class PublishRequest(StrictSerializer):
    """Which draft, and why it is sold although it can lose money, where it can."""

    version = serializers.IntegerField(
        required=False, min_value=1, max_value=2**31 - 1, help_text="Its number; publishing another is then refused."
    )
    acknowledgement = TextField(
        required=False, max_length=2_000, help_text="Why it is sold all the same. Kept with the version."
    )
    by = TextField(required=False, max_length=100, help_text="Who says so. Default: the API key.")


class PublishPlanView(ApiView):
    required_scopes = {"POST": "admin"}

    @extend_schema(request=PublishRequest, responses=PlanSerializer)
    def post(self, request: Request, key: str) -> Response:
        """Put the plan's draft on sale; the version sold until now is retired and its subscribers keep it.

        A plan whose audit finds something blocking is refused with `acknowledgement_needed` and the `findings`, until
        an `acknowledgement` says why it is sold all the same.
        """
        asked = self.read(PublishRequest, request)
        draft = PlanVersion.objects.filter(plan__key=key, status=PlanVersion.Status.DRAFT).first()
        if draft is None or asked.get("version", draft.number) != draft.number:
            raise problems.DraftUnknown(f"{key!r} has no such draft.")
        why, caller = asked.get("acknowledgement"), request.auth
        acknowledged = Acknowledged(_actor(asked.get("by"), caller), why) if why else None
        publish_plan_version(draft.pk, now=utc_now(), acknowledged=acknowledged)
        return Response(PlanSerializer(plans_on_sale().get(key=key)).data)


def _actor(by: str | None, caller: Any) -> str:
    return f"{by}, key {caller.prefix}" if by else f"key {caller.prefix}"
