"""A company in the middle of everything: what the audit looks at, made by services and by the gate's own calls."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection
from moneyed import Money

from entitlements.core.check import HoldWanted, Question
from entitlements.core.runs import Budget
from entitlements.core.settle import LeaseWanted
from entitlements.gate.calls import AcquireCall, Batch, Call, CheckCall, OpenRunCall, SettleCall, VoidCall
from entitlements.services.accounts import opened
from entitlements.services.grants import give_back_credits, take_back_credits, void_grant
from entitlements.services.low_balance import tell_when_below
from entitlements.services.subscriptions import end_subscription
from entitlements.store.accounts import Wanted
from kernel.ids import body_digest, key_digest
from metering.archive import archive_events
from metering.models import CostCard
from metering.rerating.applying import apply, undo
from metering.rerating.scope import Scope
from plans.models import PlanLimit, PlanVersion
from tests.accounts import fact
from tests.world import CREDIT, Actor, World


def company(now: datetime, directory: Path) -> World:
    """Customers in every state there is, as of `now` and a month before it; some of their usage is archived."""
    world = World()
    month_ago = now - timedelta(days=31)
    agent(world, month_ago, now)
    owes = Actor("owes", month_ago)
    owes.is_granted(5, paid=Money("10", "USD"))
    owes.spends(8, key="too-much", now=month_ago)
    capped = world.plan("capped", at_limit="overage", overage_price="0.02", spend_cap_microcredits=4 * CREDIT)
    meter = Actor("meter", month_ago, capped)
    meter.spends(9, key="last-month", now=month_ago)
    meter.spends(3, key="this-month", now=now)
    payer = Actor("payer", now, capped)
    payer.spends(6, key="e1")
    payer.is_granted(5, paid=Money("10", "USD"))
    gone = Actor("gone", month_ago, world.pro)
    gone.is_granted(20, expires_at=now + timedelta(days=5))
    gone.is_granted(10, key="later", effective_at=now + timedelta(days=2))
    gone.spends(7, key="e1", now=month_ago)
    end_subscription("gone", month_ago + timedelta(days=1))
    old = Actor("old", now, world.pro)
    old.uses(fact("archived", at=month_ago), fact("archived-too", at=month_ago, model="nobody-knows"), now=now)
    corrected(old, meter, now)
    Actor("plain", now)
    bystander = Actor("bystander", now, world.pro)
    bystander.uses(fact("e1", at=now))
    disputed = bystander.is_granted(20, paid=Money("10", "USD"))
    taken = take_back_credits("bystander", disputed.id, 15 * CREDIT, now)
    give_back_credits("bystander", disputed.id, taken, now)
    tell_when_below("bystander", 1_000 * CREDIT, now)
    archive_events(
        before=month_ago + timedelta(seconds=1),
        directory=directory,
        customer_id=old.row.pk,
        now=now,
        moved=lambda stage, count: None,
    )
    old.uses(fact("live", at=month_ago))
    return world


def corrected(old: Actor, meter: Actor, now: datetime) -> None:
    """Give the unheard-of model of `old` a price after the fact; correct a day of `meter`, and take that back."""
    for model in ("nobody-knows", "gpt-4o-mini"):
        card = CostCard.objects.create(model=model, effective_from=now - timedelta(days=90))
        for kind in ("input_tokens", "output_tokens"):
            card.rates.create(kind=kind, rate_nanousd_per_million=10**9)
        card.status, card.published_at = CostCard.Status.PUBLISHED, now
        card.save()
    days: dict[str, Any] = {"starts_on": now.date() - timedelta(days=60), "ends_on": now.date() + timedelta(days=1)}
    why = {"reason": "the invoice says so", "author": "ann", "now": now}
    apply(Scope(**days, customer_id=old.row.pk, unpriced_only=True), **why)
    wrong = apply(Scope(**days, customer_id=meter.row.pk), **why)
    undo(wrong.pk, **why)


def agent(world: World, month_ago: datetime, now: datetime) -> Actor:
    """A customer of agents: a month renewed with rollover, limits, runs in runs, holds and leases in every state."""
    team = world.plan("team", price="99", included=50, rollover_max_microcredits=10 * CREDIT)
    limited(team, "per-user", scope="user", unit="calls", window="hour", value=100)
    limited(team, "per-day", unit="credits", window="day", value=90 * CREDIT, warn_at_percent=[1])
    limited(team, "per-period", unit="cost", window="period", value=10**12)
    limited(team, "per-run", scope="run", unit="tokens", window="lifetime", value=10**9)
    acme = Actor("acme", month_ago, team)
    acme.is_granted(30, paid=Money("60", "USD"))
    voided = acme.is_granted(4, key="mistake", source="promo")
    void_grant("acme", voided.id, actor="ann", reason="wrong customer", now=month_ago)
    acme.uses(fact("old", at=month_ago, user_key="ann"), now=month_ago)
    acme.uses(fact("renews", at=now, user_key="ann"), fact("late", at=month_ago), now=now)
    for key, parent in (("run", ""), ("inner", "run")):
        opening = {"key": key, "body_digest": body_digest(key), "parent": parent, "user_key": "ann"}
        call(OpenRunCall(anyone, now, customer="acme", budget=Budget(), **opening))
    acme.uses(fact("step", at=now, run_key="inner", user_key="ann"), now=now)
    open_hold = hold(now, "open", 6)
    settle(now, open_hold, "part", 2, final=False)
    settle(now, hold(now, "less", 5), "settled", 3)
    settle(now, hold(now, "more", 1), "settled-more", 4)
    call(VoidCall(anyone, now, acme.row.pk, hold(now, "voided", 7).id))
    wanted = LeaseWanted("lease", key_digest("lease"), body_digest("lease"), "chat", 8 * CREDIT, 600)
    lease = call(AcquireCall(anyone, now, "acme", wanted)).hold
    settle(now, lease, "leased", 1, final=False)
    return acme


def limited(version: PlanVersion, key: str, **parts: Any) -> None:
    """Add a limit to a published version, as if it had been there when it was published."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE plan_limit DISABLE TRIGGER plan_limit_is_published")
        PlanLimit.objects.create(plan_version=version, key=key, **parts)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE plan_limit ENABLE TRIGGER plan_limit_is_published")


def anyone(_: object) -> None:
    """Every key may."""


def hold(now: datetime, key: str, credits: int) -> Any:
    """Hold credits in the inner run."""
    wanted = HoldWanted(key=key, key_digest=key_digest(key), body_digest=body_digest(key), ttl_seconds=60)
    which = {"feature": "chat", "model": "gpt-4o-mini", "user_key": "ann", "run_key": "inner"}
    question = Question(**which, estimate=credits * CREDIT, hold=wanted)
    decided = call(CheckCall(anyone, now, "acme", question)).decided
    assert decided.hold is not None, decided.answer
    return decided.hold


def settle(now: datetime, placed: Any, key: str, credits: int, *, final: bool = True) -> None:
    """Settle a hold, or a part of it."""
    used = fact(key, at=now, feature="", model="", user_key="", stated_microcredits=credits * CREDIT)
    settled = call(SettleCall(anyone, now, placed.customer_id, placed.id, [used], final=final))
    assert settled.items[0].charged_microcredits == credits * CREDIT, settled.items


def call(of_the_gate: Call) -> Any:
    """Run one call of the gate's in Django's transaction, as a batch of its own."""
    wanted = Wanted()
    of_the_gate.wants(wanted)
    with opened(wanted, now=of_the_gate.now) as these:
        by_id = {account.customer_id: account for account in these.accounts.values()}
        batch = Batch(by_id, these.reference, of_the_gate.now, {})
        result = of_the_gate.run(batch)
        these.events += batch.events
        with connection.cursor() as cursor:
            for statement in batch.records():
                cursor.execute(statement.sql, statement.params)
    return result
