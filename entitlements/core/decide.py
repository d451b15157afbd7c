"""The whole decision: a check, and the hold it may place. What `replay_decision` calls again."""

from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec

from entitlements.core import holds, limits, runs
from entitlements.core.account import Account, HoldState
from entitlements.core.check import Answer, HoldWanted, Question, check
from entitlements.core.limits import Draw, Shared, Use, tier_of
from entitlements.core.pricing import CostSource
from kernel.errors import KeyReused
from kernel.usage import Usage
from plans.catalogue import Catalogue


class BalanceNow(msgspec.Struct, frozen=True):
    """A balance after a call. Microcredits."""

    posted: int
    held: int
    debt: int
    overage: int
    available: int


class HoldPlaced(msgspec.Struct, frozen=True):
    """A hold as the caller sees it."""

    id: UUID
    customer_id: int
    microcredits: int
    expires_at: datetime


class Decided(msgspec.Struct, frozen=True, omit_defaults=True):
    """A decision with what it left behind."""

    answer: Answer
    hold: HoldPlaced | None
    balance: BalanceNow
    replayed: bool = False


def decide(
    account: Account, question: Question, catalogue: Catalogue, costs: CostSource, now: datetime, shared: Shared
) -> Decided:
    """Answer, and hold the estimate's credits if that is wanted and the answer is yes.

    A hold key seen before gets the first answer again, before anything is decided.
    Raises FeatureUnknown, RunUnknown, KeyReused.
    """
    wanted = question.hold
    if wanted is not None:
        known = account.holds.get(wanted.key_digest)
        if known is not None:
            if known.body_digest != wanted.body_digest:
                raise KeyReused(f"hold key {wanted.key!r} was used before with another body", field="hold.key")
            first = msgspec.json.decode(account.answers[known.id], type=Decided)
            return msgspec.structs.replace(first, replayed=True)
    answer = check(account, question, catalogue, costs, now, shared)
    if wanted is None or answer.decision == "deny":
        return Decided(answer, None, balance_of(account))
    hold = _place(account, question, wanted, answer, catalogue, now)
    placed = HoldPlaced(hold.id, account.customer_id, hold.held, hold.expires_at)
    decided = Decided(answer, placed, balance_of(account))
    account.answers[hold.id] = _encoder.encode(decided)
    return decided


def balance_of(account: Account) -> BalanceNow:
    """The account's balance as a value."""
    return BalanceNow(account.posted, account.held, account.debt, account.overage, account.available)


def _place(
    account: Account, question: Question, wanted: HoldWanted, answer: Answer, catalogue: Catalogue, now: datetime
) -> HoldState:
    needed = answer.needed_microcredits or 0
    run = runs.find(account, question.run_key) if question.run_key else None
    model = catalogue.resolve_model(answer.model) if answer.model else None
    feature = catalogue.features[question.feature]
    plan = catalogue.plans.get(account.plan_version_id or 0)
    use = Use(feature.id, tier_of(model), question.user_key, run.id if run else None)
    hold = HoldState(
        customer_id=account.customer_id,
        id=wanted.key_digest,
        key=wanted.key,
        body_digest=wanted.body_digest,
        # Under a soft limit the call may go past the credits: what is there is held, the rest is overage later.
        held=min(needed, max(account.free, 0)),
        feature_id=feature.id,
        model=answer.model or "",
        user_key=question.user_key,
        run_id=run.id if run else None,
        runs=[level.id for level in runs.levels(account, run)] if run else [],
        claims=limits.claim(account, plan.limits if plan else (), use, Draw(1, needed, None, _tokens(question)), now),
        placed_at=now,
        expires_at=now + timedelta(seconds=wanted.ttl_seconds),
    )
    holds.place(account, hold)
    return hold


def _tokens(question: Question) -> int | None:
    estimate = question.estimate
    return estimate.input_tokens + estimate.output_tokens if isinstance(estimate, Usage) else None


_ALWAYS = (
    *("customer_id", "key", "currency", "time_zone", "posted", "held", "plan_version_id"),
    *("period_start", "period_end", "allowance_end"),
)
_MOSTLY_NOTHING: dict[str, Any] = {
    "debt": 0,
    "overage": 0,
    "overage_billed": 0,
    "overdue_since": None,
    "spend_cap": None,
    "own_entitlements": {},
    "runs": {},
}
"""What is recorded where it is something."""

# A struct is made and encoded in half the time of a dict.
_State = msgspec.defstruct(
    "_State",
    [
        *(*_ALWAYS, "counters"),
        *((name, Any, nothing) for name, nothing in _MOSTLY_NOTHING.items()),
        *(("shared", Any, {}), ("margin", Any, None)),
    ],
    frozen=True,
    omit_defaults=True,
)
_always, _mostly_nothing = attrgetter(*_ALWAYS), attrgetter(*_MOSTLY_NOTHING)
_encoder = msgspec.json.Encoder()


def state_of(account: Account, question: Question, shared: Shared) -> msgspec.Raw:
    """What of an account `decide` is given, and what shared limits have used, as JSON: for the record."""
    counters = [each for each in account.counters.values() if _concerns(each.scope_key, question)]
    state = _State(*_always(account), counters, *_mostly_nothing(account), shared, account.margin)
    return msgspec.Raw(_encoder.encode(state))


def _concerns(scope: str, question: Question) -> bool:
    """Whether a counter can matter: not, where it is another user's."""
    return not scope.startswith("user:") or scope == f"user:{question.user_key}"
