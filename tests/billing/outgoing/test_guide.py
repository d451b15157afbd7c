"""docs/webhooks.md says what is so: every type with its body, and code that verifies."""

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from billing.models import WebhookEndpoint
from billing.outgoing.delivering import WAITS, deliver_due
from billing.outgoing.dispatching import dispatch_waiting
from billing.outgoing.kinds import KINDS, NAMES, TEST
from billing.outgoing.sending import SECONDS
from tests.billing.outgoing.conftest import Listener

GUIDE = (Path(settings.BASE_DIR) / "docs" / "webhooks.md").read_text()
ENTRIES = re.findall(r"^### (\S+)\n\n(.+?)\n\n```json\n(.+?)\n```$", GUIDE, re.MULTILINE | re.DOTALL)


def test_the_guide_lists_every_type_as_the_catalogue_has_it() -> None:
    assert [name for name, _, _ in ENTRIES] == [*NAMES, TEST]
    for kind, (_, when, body) in zip(KINDS, ENTRIES, strict=False):
        assert when == kind.when
        read = json.loads(body)
        assert (read["type"], read["data"].pop("customer"), read["data"]) == (kind.name, "harbour-legal", kind.example)


@pytest.mark.parametrize("path", ["entitlements", "billing", "margins"])
def test_whatever_the_code_tells_is_in_the_catalogue(path: str) -> None:
    told: set[str] = set()
    for file in (Path(settings.BASE_DIR) / path).rglob("*.py"):
        if re.search(r"\btell\(", text := file.read_text()):
            told |= set(re.findall(r'"((?:balance|limit|top_up|subscription|plan|margin)\.[a-z_]+)"', text))
    assert told
    assert told <= set(NAMES)


def test_verifying_by_hand_as_the_guide_shows_it(
    listener: Listener, endpoint: WebhookEndpoint, says: Callable[..., None], now: datetime
) -> None:
    (code,) = re.findall(r"```python\n(import base64.+?)\n```", GUIDE, re.DOTALL)
    guide: dict[str, Any] = {}
    exec(code, guide)
    says("balance.low", available="1")
    dispatch_waiting(now)
    deliver_due(now)
    (heard,) = listener.heard
    body = heard.body.encode()
    assert guide["is_ours"](endpoint.secret, heard.headers, body)
    assert not guide["is_ours"](endpoint.secret, heard.headers, body + b" ")
    assert not guide["is_ours"](endpoint.secret, heard.headers | {"webhook-timestamp": "1"}, body)


def test_the_schedule_it_promises_is_ours() -> None:
    assert f"within {SECONDS} seconds" in GUIDE
    assert [wait.total_seconds() for wait in WAITS] == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert "after 5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 hours" in GUIDE
