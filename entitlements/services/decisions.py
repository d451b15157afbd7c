"""Deciding a recorded decision again, to see that the same inputs give the same answer."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from entitlements.core.account import Account, Counter, OwnEntitlement, RunState
from entitlements.core.check import Question
from entitlements.core.decide import decide
from entitlements.core.margin_figure import MarginFigure
from entitlements.models import Decision
from entitlements.store.accounts import REVISION
from entitlements.store.reference import django_reference
from kernel.errors import NotFound


class DecisionUnknown(NotFound):
    code = "decision_unknown"
    title = "There is no such decision"


class Replay(msgspec.Struct, frozen=True):
    """A decision as it was recorded and as it comes out now. Revisions are the catalogue's."""

    recorded: dict[str, Any]
    now: dict[str, Any]
    recorded_revision: int
    revision_now: int

    @property
    def differences(self) -> list[str]:
        """A line for each member that differs; none when the decision is the same."""
        return list(_differences("", self.recorded, self.now))


def replay(customer_id: int, decision_id: UUID) -> Replay:
    """Decide again what was decided, from the recorded inputs and the catalogue as it is now.

    Published plans and rates never change, so a difference means that something else did: a tier, a model's
    mapping, a newer rate card that was in force, or the code. Raises DecisionUnknown.
    """
    row = Decision.objects.filter(customer_id=customer_id, id=decision_id).first()
    if row is None:
        raise DecisionUnknown(f"customer {customer_id} has no decision {decision_id}")
    with connection.cursor() as cursor:
        cursor.execute(REVISION.sql)
        (revision,) = cursor.fetchone() or (0,)
        reference = django_reference.of_sync(revision, cursor)
    decided = decide(
        account_of(row.account),
        msgspec.convert(row.question, Question, strict=False),
        reference.catalogue,
        reference.costs,
        row.decided_at,
        shared_of(row.account),
    )
    again = msgspec.json.decode(msgspec.json.encode(decided))
    return Replay(row.answer, again, row.revision, reference.revision)


def account_of(state: dict[str, Any]) -> Account:
    """The account of a decision record."""
    parts = dict(state)
    parts.pop("shared", None)
    margin = parts.pop("margin", None)
    counters = {
        (counter.scope_key, counter.limit_key): counter
        for counter in msgspec.convert(parts.pop("counters"), list[Counter])
    }
    own = {int(key): msgspec.convert(value, OwnEntitlement) for key, value in parts.pop("own_entitlements", {}).items()}
    runs = {UUID(key): msgspec.convert(value, RunState) for key, value in parts.pop("runs", {}).items()}
    for name in ("period_start", "period_end", "allowance_end", "overdue_since"):
        parts[name] = None if parts.get(name) is None else datetime.fromisoformat(parts[name])
    return Account(
        **{"debt": 0, "overage": 0, **parts},
        seq=0,
        valid_until=None,
        subscription_id=None,
        anchor=None,
        counters=counters,
        own_entitlements=own,
        runs=runs,
        margin=None if margin is None else msgspec.convert(margin, MarginFigure),
    )


def shared_of(state: dict[str, Any]) -> dict[int, int]:
    """What a decision record says the limits of a plan or of everyone had used, by limit id."""
    return {int(limit): used for limit, used in state.get("shared", {}).items()}


def _differences(path: str, recorded: Any, now: Any) -> Any:
    if isinstance(recorded, dict) and isinstance(now, dict):
        for name in sorted(recorded.keys() | now.keys()):
            yield from _differences(f"{path}.{name}" if path else name, recorded.get(name), now.get(name))
    elif recorded != now:
        yield f"{path}: was {recorded!r}, is {now!r} now"
