"""Recorded decisions as their callers saw them."""

from typing import Any

import msgspec
from django.db.models import QuerySet

from entitlements.core.decide import Decided
from entitlements.gate.answers import check_answer
from entitlements.gate.calls import Checked
from entitlements.models import Decision
from kernel.ids import public_id


def decisions_of(customer_id: int) -> "QuerySet[Decision]":
    """A customer's decisions; order by ``-decided_at`` for the newest first."""
    return Decision.objects.filter(customer_id=customer_id)


def answer_of(decision: Decision) -> dict[str, Any]:
    """The body the check was answered with."""
    decided = msgspec.convert(decision.answer, Decided, strict=False)
    answer = msgspec.structs.replace(check_answer(Checked(decided, None)), decision_id=id_of(decision))
    shown: dict[str, Any] = msgspec.to_builtins(answer)
    return shown


def id_of(decision: Decision) -> str:
    """The id the caller was given."""
    return public_id("decision", decision.customer_id, decision.id)
