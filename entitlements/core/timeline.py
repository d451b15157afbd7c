"""What happens to an account by itself: activation, expiry, renewal, rollover, the end of a period.

Nothing here runs on a schedule. Whoever touches the account first brings it up to date, instant by
instant, so each of these is exact at its own time however late it is noticed.
"""

from datetime import datetime, timedelta
from uuid import UUID

from entitlements.core import holds
from entitlements.core.account import Account, GrantState, NewGrant
from kernel.ids import body_digest, key_digest
from kernel.recurrence import period_at
from plans.catalogue import Catalogue
from plans.terms import PlanTerms

ALLOWANCES = ("allowance", "rollover")
_TICK = timedelta(microseconds=1)


def bring_up_to_date(account: Account, catalogue: Catalogue, now: datetime) -> None:
    """Let everything happen that was due at or before `now`, in order, and set `valid_until`.

    The stored `valid_until` says how far this was done before: instants below it have happened.
    """
    horizon = account.valid_until or now
    while (due := _next_instant(account, horizon)) is not None and due <= now:
        _happen(account, catalogue, due, now)
        horizon = due + _TICK
    if account.valid_until != due:
        account.valid_until = due
        account.dirty = True


def look_ahead(account: Account, now: datetime) -> None:
    """Set `valid_until` anew after the account's future has changed (a grant, a subscription)."""
    account.valid_until = _next_instant(account, now + _TICK)
    account.dirty = True


def start_subscription(
    account: Account, plan: PlanTerms, *, subscription_id: int, anchor: datetime, now: datetime, used: int = 0
) -> None:
    """Put the account on a plan from `now` on and grant the current allowance.

    What is left of the former plan's allowance is taken back; credits that were bought stay. `used` is what was burned
    of allowances in this period already: it counts against the new one, so that changing plans refills nothing.
    """
    end_subscription(account, now=now)
    account.subscription_id = subscription_id
    account.plan_version_id = plan.id
    account.anchor = anchor
    account.period_start, account.period_end = period_at(anchor, plan.interval, now)
    _grant_allowance(account, plan, start=now, rollover=0, now=now, used=used)
    look_ahead(account, now)


def end_subscription(account: Account, *, now: datetime) -> None:
    """Take the account off its plan: its allowance is taken back, its overage falls due."""
    if account.subscription_id is None:
        return
    for grant in [grant for grant in account.grants if grant.source in ALLOWANCES and grant.closed_at is None]:
        account.void(grant, now=now)
    _close_period(account, at=now, now=now)
    account.subscription_id = account.plan_version_id = account.anchor = None
    account.period_start = account.period_end = account.allowance_end = None
    look_ahead(account, now)


def _next_instant(account: Account, horizon: datetime) -> datetime | None:
    """The earliest instant at or after `horizon` at which something happens by itself."""
    instants = [account.period_end, account.allowance_end, account.holds_until]
    instants += (
        grant.expires_at if grant.activated_at else grant.effective_at
        for grant in account.grants
        if grant.closed_at is None
    )
    return min((instant for instant in instants if instant is not None and instant >= horizon), default=None)


def _happen(account: Account, catalogue: Catalogue, due: datetime, now: datetime) -> None:
    """Everything of one instant: ends first, so that what starts now is not paid to the past."""
    if account.holds_until == due:
        holds.expire_due(account, due, now)
    unused = 0
    for grant in [grant for grant in account.grants if grant.burnable and grant.expires_at == due]:
        expired = account.expire(grant, now=now)
        if grant.source in ALLOWANCES and grant.subscription_id == account.subscription_id:
            unused += expired
    plan = catalogue.plans.get(account.plan_version_id or 0)
    if plan is not None and account.anchor is not None:
        if account.period_end == due:
            _close_period(account, at=due, now=now)
            account.period_start, account.period_end = period_at(account.anchor, plan.interval, due)
        if account.allowance_end == due:
            rollover = min(unused, plan.rollover_max_microcredits)
            _grant_allowance(account, plan, start=due, rollover=rollover, now=now)
    for grant in account.grants:
        if grant.closed_at is None and grant.activated_at is None and grant.effective_at <= due:
            account.activate(grant, now=now)


def _close_period(account: Account, *, at: datetime, now: datetime) -> None:
    account.bill_overage(at=at, now=now)
    account.overage_billed = 0


def _grant_allowance(
    account: Account, plan: PlanTerms, *, start: datetime, rollover: int, now: datetime, used: int = 0
) -> None:
    """Grant the plan's credits, less what is used, from `start` to the end of the allowance period it lies in."""
    account.allowance_end = None
    if plan.allowance_renewal != "never" and plan.included_microcredits:
        _, account.allowance_end = period_at(account.anchor or start, plan.allowance_renewal, start)
    for source, amount in (("rollover", rollover), ("allowance", max(0, plan.included_microcredits - used))):
        if amount:
            account.add(_allowance(account, plan, source, amount, start), now=now)


def _allowance(account: Account, plan: PlanTerms, source: str, amount: int, start: datetime) -> NewGrant:
    key = f"{source}:{account.subscription_id}:{start.isoformat()}"
    state = GrantState(
        customer_id=account.customer_id,
        # Derived, not drawn: bringing the same account up to date twice names the same grant.
        id=grant_id(account.customer_id, key),
        source=source,
        priority=plan.allowance_priority,
        amount=amount,
        remaining=amount,
        effective_at=start,
        expires_at=account.allowance_end,
        created_at=start,
        activated_at=None,
        subscription_id=account.subscription_id,
    )
    return NewGrant(
        state=state,
        key=key,
        key_digest=key_digest(key),
        body_digest=body_digest([source, amount, start.isoformat()]),
        paid="0",
        paid_currency=account.currency,
        reason=f"{plan.plan_key} v{plan.number}",
        actor="",
    )


def grant_id(customer_id: int, key: str) -> UUID:
    """The id of the grant a customer's key names."""
    return key_digest(f"grant:{customer_id}:{key}")
