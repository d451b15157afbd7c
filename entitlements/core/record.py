"""Recording usage that has happened: rate it, cost it, charge it. A fact is never refused for lack of credits."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from entitlements.core import holds, limits, runs
from entitlements.core.account import Account, HoldState, SeenEvent
from entitlements.core.limits import Draw, Use, tier_of
from entitlements.core.pricing import CostSource, charge_for
from kernel.errors import KeyReused
from kernel.usage import Usage
from metering.costing import Call
from metering.events import EventRow, other_usage
from plans.catalogue import Catalogue
from plans.problems import FeatureUnknown
from plans.terms import ModelTerms, PlanTerms

_NOTHING = Usage()
NO_LIMIT = 1 << 62
"""Overage with no cap: more than any amount, so that `min` needs no special case."""


class InnerCall(msgspec.Struct, frozen=True):
    """A call to another model made inside the reported one, which the supplier bills beside it."""

    model: str
    provider: str
    usage: Usage


class UsageFact(msgspec.Struct, frozen=True, kw_only=True):
    """One reported action, validated and in neutral form. Instants are UTC; costs nano-USD; charge microcredits."""

    key: str
    key_digest: UUID
    body_digest: UUID
    feature: str
    action: str
    user_key: str
    run_key: str
    tags: dict[str, Any] | None
    provider: str
    model: str
    processing: str
    region: str
    memoised: bool
    usage: Usage
    inner: tuple[InnerCall, ...] = ()
    stated_microcredits: int | None
    reported_cost_nanousd: int | None
    occurred_at: datetime


class Recorded(msgspec.Struct, frozen=True):
    """The answer to one reported action. `row` is None when the key was known: nothing is written again."""

    charged_microcredits: int | None
    cost_nanousd: int | None
    row: EventRow | None
    late: bool = False
    """Settled after its hold had expired: charged all the same, from what is free now."""

    @property
    def duplicate(self) -> bool:
        return self.row is None


def record_usage(
    account: Account,
    fact: UsageFact,
    catalogue: Catalogue,
    costs: CostSource,
    now: datetime,
    *,
    hold: HoldState | None = None,
    final: bool = True,
    calls: int = 1,
) -> Recorded:
    """Charge `fact` to `account`, once, and to the hold it settles, if any.

    A key seen before is answered from what was stored, before anything is priced. Credits come from the
    hold, then from what is free; what is not free any more becomes overage (up to the spend cap) where the plan
    allows it, else debt. Until the `final` settlement a hold keeps what is left of it. `calls` is how many calls
    it counts as. Raises FeatureUnknown, KeyReused.
    """
    seen = account.seen.get(fact.key_digest)
    if seen is not None:
        if seen.body_digest != fact.body_digest:
            raise KeyReused(f"usage key {fact.key!r} was used before with another body", field="key")
        return Recorded(seen.charged_microcredits, seen.cost_nanousd, None)

    feature = catalogue.features.get(fact.feature)
    if feature is None:
        raise FeatureUnknown(f"no feature has the key {fact.feature!r}", field="feature")
    plan = catalogue.plans.get(account.plan_version_id or 0)
    model = catalogue.resolve_model(fact.model, fact.provider) if fact.model else None
    run = account.run_named(fact.run_key) if fact.run_key else None

    rate_id, charged = None, fact.stated_microcredits
    if charged is None:
        charge = charge_for(catalogue, plan, feature_id=feature.id, model=model, usage=fact.usage, at=fact.occurred_at)
        if charge is not None:
            rate_id, charged = charge.rate_id, charge.microcredits
    computed, cost_card = _computed_cost(fact, costs)
    cost = fact.reported_cost_nanousd if fact.reported_cost_nanousd is not None else computed

    open_hold = hold if hold is not None and hold.closed_at is None else None
    if open_hold is not None:
        holds.draw_on(account, open_hold, charged or 0)
    if charged:
        account.charge(
            charged,
            overage_room=overage_room(account, plan, feature.id),
            at=fact.occurred_at,
            now=now,
            event=fact.key_digest,
        )
    if open_hold is not None and final:
        holds.close(account, open_hold, holds.SETTLED, at=now, now=now)
    use = Use(feature.id, tier_of(model), fact.user_key, run.id if run else None)
    tokens = fact.usage.input_tokens + fact.usage.output_tokens
    draw = Draw(calls, charged or 0, cost or 0, tokens)
    limits.count(account, plan.limits if plan else (), use, draw, at=fact.occurred_at, now=now)
    if run is not None:
        runs.count(account, run, steps=calls, microcredits=charged or 0, cost_nanousd=cost or 0)

    row = _row(
        account.customer_id,
        fact,
        feature_id=feature.id,
        model=model,
        plan=plan,
        rate_id=rate_id,
        charged=charged,
        cost=cost,
        computed=computed,
        cost_card=cost_card,
        hold_id=hold.id if hold else None,
        now=now,
    )
    account.seen[fact.key_digest] = SeenEvent(fact.key_digest, fact.body_digest, charged, cost)
    return Recorded(charged, cost, row, late=hold is not None and open_hold is None)


def overage_room(account: Account, plan: PlanTerms | None, feature_id: int) -> int:
    """How many microcredits of overage this feature may still run up in this period."""
    if plan is None:
        return 0
    own = account.own_entitlements.get(feature_id)
    right = own or plan.entitlements.get(feature_id)
    if right is None or right.at_limit != "overage":
        return 0
    caps = [cap for cap in (plan.spend_cap_microcredits, account.spend_cap) if cap is not None]
    return max(0, min(caps) - account.overage - account.overage_billed) if caps else NO_LIMIT


def _computed_cost(fact: UsageFact, costs: CostSource) -> tuple[int | None, str]:
    """Our own cost of the call and its card. A call that reached no supplier cost nothing, and that is known."""
    if fact.memoised or (not fact.model and fact.usage == _NOTHING):
        return 0, ""
    total, cards = 0, []
    for inner in (InnerCall(fact.model, fact.provider, fact.usage), *fact.inner):
        call = Call(inner.provider or None, inner.model, fact.occurred_at, fact.processing or None, fact.region or None)
        costed = costs.cost(inner.usage, call)
        if costed.nanousd is None:
            return None, ""
        total += costed.nanousd
        cards.append(costed.cost_card)
    return total, cards[0]


def _row(
    customer_id: int,
    fact: UsageFact,
    *,
    feature_id: int,
    model: ModelTerms | None,
    plan: PlanTerms | None,
    rate_id: int | None,
    charged: int | None,
    cost: int | None,
    computed: int | None,
    cost_card: str,
    hold_id: UUID | None,
    now: datetime,
) -> EventRow:
    usage = fact.usage
    return EventRow(
        customer_id=customer_id,
        key_digest=fact.key_digest,
        key=fact.key,
        body_digest=fact.body_digest,
        occurred_at=fact.occurred_at,
        received_at=now,
        feature_id=feature_id,
        action=fact.action,
        user_key=fact.user_key,
        run_key=fact.run_key,
        tags=fact.tags or None,
        provider=fact.provider or (model.provider if model else ""),
        model=model.key if model else fact.model,
        reported_model=fact.model,
        processing=fact.processing,
        region=fact.region,
        memoised=fact.memoised,
        input_tokens=usage.input_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_5m_tokens=usage.cache_write_5m_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        output_tokens=usage.output_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        other_usage=other_usage(usage),
        plan_version_id=plan.id if plan else 0,
        rate_id=rate_id,
        charged_microcredits=charged,
        cost_nanousd=cost,
        computed_cost_nanousd=computed,
        reported_cost_nanousd=fact.reported_cost_nanousd,
        cost_card=cost_card,
        hold_id=hold_id,
    )
