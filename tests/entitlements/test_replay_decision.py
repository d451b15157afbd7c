"""Every recorded decision can be decided again, and a difference is named."""

from io import StringIO
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from kernel.clock import utc_now
from plans.models import ModelTier
from tests.gate import with_gate
from tests.world import Actor, World

pytestmark = pytest.mark.django_db(transaction=True)


def decide(*questions: dict[str, Any]) -> list[str]:
    async def story(client: httpx.AsyncClient) -> list[str]:
        await client.post("/v1/runs", json={"key": "r1", "customer": "acme", "budget": {"credits": "50"}})
        answers = [
            (await client.post("/v1/check", json={"customer": "acme"} | question)).json() for question in questions
        ]
        return [answer["decision_id"] for answer in answers]

    return with_gate(story)


def replayed(decision: str) -> str:
    out = StringIO()
    call_command("replay_decision", decision, stdout=out)
    return out.getvalue()


def test_holds_and_denials_replay_to_the_same_answer() -> None:
    Actor("acme", utc_now(), World().pro)
    decisions = decide(
        {"feature": "chat", "estimate": {"credits": "10"}, "hold": {"key": "h1"}, "run": "r1"},
        {"feature": "chat", "estimate": {"credits": "500"}},
        {"feature": "chat", "model": "gpt-4o"},
        {"feature": "chat", "model": "gpt-4o-mini", "estimate": {"input_tokens": 10**9}, "hold": {"key": "h2"}},
    )
    for decision in decisions:
        assert "the same inputs give the same answer" in replayed(decision)


def test_an_allowed_check_without_a_hold_leaves_no_record() -> None:
    Actor("acme", utc_now(), World().pro)
    assert decide({"feature": "chat", "estimate": {"credits": "1"}}) == [None]


def test_what_changed_since_is_named() -> None:
    world = World()
    Actor("acme", utc_now(), world.pro)
    (denied,) = decide({"feature": "chat", "model": "gpt-4o"})
    ModelTier.objects.filter(key="economy").update(rank=9)
    with pytest.raises(CommandError, match="answer.decision: was 'deny', is 'allow' now"):
        replayed(denied)


def test_a_made_up_decision_is_said_to_be_unknown() -> None:
    for text in ("nonsense", "decision_1_" + "0" * 32):
        with pytest.raises(CommandError):
            replayed(text)
    connection.close()
