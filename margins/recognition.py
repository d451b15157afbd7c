"""When money becomes revenue, exactly. Pure: these functions are the definition that margins/sql implements by sets.

Everything is an integer of nano-units of its own currency; currencies never meet here. A total that
is earned bit by bit is never rounded bit by bit: what a stretch earned is the difference of two
cumulative figures, so the parts of a period, or of a grant, always sum to its whole.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from entitlements.core.words import Bucket, EntryKind
from kernel.recurrence import period_at

_MICROSECOND = timedelta(microseconds=1)


class RevenueKind(StrEnum):
    """Why an amount counts as revenue."""

    SUBSCRIPTION = "subscription"
    """A plan's price, earned evenly over its billing period."""
    CREDITS = "credits"
    """Bought credits, when they are burned, at what was paid for them."""
    BREAKAGE = "breakage"
    """Bought credits, when they expire unburned."""
    OVERAGE = "overage"
    """Usage beyond the credits, when it happens, at the plan's overage price."""
    REVERSAL = "reversal"
    """Money given back or disputed, as far as it had been earned: negative."""


LEDGER_KINDS: Final = (RevenueKind.CREDITS, RevenueKind.BREAKAGE, RevenueKind.OVERAGE, RevenueKind.REVERSAL)
"""What a ledger earns; subscriptions earn by time."""


def day_start(day: date) -> datetime:
    """Midnight UTC at which the day begins."""
    return datetime.combine(day, time.min, UTC)


def accrued(total_nano: int, *, start: datetime, end: datetime, until: datetime) -> int:
    """What a total earned evenly over [start, end) has come to by `until`, rounded down to the nano-unit."""
    elapsed = min(max(until, start), end) - start
    return total_nano * (elapsed // _MICROSECOND) // ((end - start) // _MICROSECOND)


def accrued_between(total_nano: int, *, start: datetime, end: datetime, since: datetime, until: datetime) -> int:
    """The part of a total earned evenly over [start, end) that falls in [since, until)."""
    return accrued(total_nano, start=start, end=end, until=until) - accrued(
        total_nano, start=start, end=end, until=min(since, until)
    )


class SubscriptionTerms(NamedTuple):
    """What recognising a subscription needs to know of it and its plan version."""

    price_nano: int
    interval: str
    anchor: datetime
    started_at: datetime
    ended_at: datetime | None = None


def subscription_revenue(terms: SubscriptionTerms, *, since: datetime, until: datetime) -> int:
    """What the subscription earned in [since, until), by the microsecond.

    Each billing period, counted from the anchor, earns the whole price over its own length. Only the
    time the subscription was in force earns: of a period it left, the rest is billing's to refund or keep.
    """
    since = max(since, terms.started_at)
    until = min(until, terms.ended_at) if terms.ended_at else until
    earned, at = 0, since
    while at < until:
        start, end = period_at(terms.anchor, terms.interval, at)
        earned += accrued_between(terms.price_nano, start=start, end=end, since=at, until=until)
        at = end
    return earned


def customer_cost(amount_nano: int, *, since: datetime, until: datetime) -> int:
    """What an amount per calendar month (UTC) comes to in [since, until), spread evenly over each month."""
    cost, at = 0, since
    while at < until:
        start, end = period_at(datetime(2000, 1, 1, tzinfo=UTC), "month", at)
        cost += accrued_between(amount_nano, start=start, end=end, since=at, until=until)
        at = end
    return cost


class GrantBasis(NamedTuple):
    """What was paid for a grant. A grant nobody paid for (allowance, rollover, promo, bonus) has none."""

    amount_microcredits: int
    paid_nano: int
    currency: str


def grant_revenue(basis: GrantBasis, *, before: int, after: int) -> int:
    """What a grant earns when its used-up credits move from `before` to `after` microcredits.

    Negative when credits are given back. A grant used up to the end has earned what was paid for it.
    """
    paid, amount = basis.paid_nano, basis.amount_microcredits
    return paid * after // amount - paid * before // amount


def overage_revenue(microcredits: int, price_nano: int) -> int:
    """Overage at the price of one credit, rounded half away from zero to the nano-unit, once per entry."""
    doubled = 2 * abs(microcredits) * price_nano
    nano = (doubled + 1_000_000) // 2_000_000
    return nano if microcredits >= 0 else -nano


def reversal_revenue(moved_nano: int, unburned_nano: int) -> int:
    """What a refund, a dispute, or its undoing does to revenue.

    `moved_nano` is the money as it moved for us, negative when it went back; `unburned_nano` what the credits that
    were taken back unburned were worth, negative when they return. Only what had been earned is lost: of a pack
    nobody touched, nothing.
    """
    return moved_nano + unburned_nano


class Entry(NamedTuple):
    """The part of a ledger entry that recognition reads."""

    kind: int
    bucket: int
    amount_microcredits: int
    effective_at: datetime
    grant_id: UUID | None = None


class Recognised(NamedTuple):
    """Revenue of one ledger entry, on its own instant however late it was recorded."""

    at: datetime
    kind: RevenueKind
    revenue_nano: int
    currency: str


_EARNS = {
    EntryKind.BURN: RevenueKind.CREDITS,
    EntryKind.REFUND: RevenueKind.CREDITS,
    EntryKind.EXPIRE: RevenueKind.BREAKAGE,
    EntryKind.REVERSAL: RevenueKind.REVERSAL,
    EntryKind.RESTORED: RevenueKind.REVERSAL,
}


def ledger_revenue(
    entries: Iterable[Entry], grants: Mapping[UUID, GrantBasis], overage: tuple[int, str] | None = None
) -> Iterator[Recognised]:
    """The revenue of one customer's ledger, entry by entry in the order of `seq`.

    `grants` holds the paid ones; `overage` is the price of one credit of overage in nano-units, with
    its currency. The order matters only to the last nano-unit: an entry's revenue is fixed when it is
    written, so a late event adds to its own day and moves no other. Voided credits use a grant up
    without earning: what becomes of their money is billing's to say. Credits taken back for money that went
    back had not earned it: `reversal_revenue` takes the whole of the money, and these entries give their part again.
    """
    used: dict[UUID, int] = {}
    for entry in entries:
        if entry.bucket == Bucket.OVERAGE:
            if overage and entry.kind in {EntryKind.OVERAGE, EntryKind.OVERAGE_PAID}:
                price_nano, currency = overage
                revenue = overage_revenue(-entry.amount_microcredits, price_nano)
                yield Recognised(entry.effective_at, RevenueKind.OVERAGE, revenue, currency)
        elif entry.kind != EntryKind.GRANT and entry.grant_id is not None and (basis := grants.get(entry.grant_id)):
            before = used.get(entry.grant_id, 0)
            after = used[entry.grant_id] = before - entry.amount_microcredits
            if kind := _EARNS.get(EntryKind(entry.kind)):
                revenue = grant_revenue(basis, before=before, after=after)
                yield Recognised(entry.effective_at, kind, revenue, basis.currency)


def spread(total: int, weights: Sequence[int]) -> list[int]:
    """Divide a total in proportion to the weights so that the shares sum to it exactly.

    Cumulative, like everything here: each share is within one unit of its exact part. All weights
    zero, or none, spread nothing: the caller keeps the total as unallocated.
    """
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    shares, upto, given = [], 0, 0
    sign = -1 if total < 0 else 1
    for weight in weights:
        upto += weight
        reached = abs(total) * upto // whole
        shares.append(sign * (reached - given))
        given = reached
    return shares
