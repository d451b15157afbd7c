"""What a customer's simulated period came to, and its revenue, recognised as the reports recognise real revenue."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from entitlements.core.account import LedgerRow
from entitlements.core.words import Bucket, EntryKind
from margins.recognition import (
    Entry,
    GrantBasis,
    RevenueKind,
    SubscriptionTerms,
    ledger_revenue,
    overage_revenue,
    subscription_revenue,
)
from margins.simulation.start import Lot, Start
from margins.units import nano_of
from plans.terms import PlanTerms


class Hit(msgspec.Struct):
    """A limit (by its key), the balance or the plan that said no or was exceeded: first when, and how often."""

    first_at: datetime
    calls: int = 1


class Sums(msgspec.Struct):
    """Calls and what they came to. Nothing rated the `unrated`, nobody knows what the `unpriced` cost."""

    calls: int = 0
    microcredits: int = 0
    cost_nanousd: int = 0
    unrated: int = 0
    unpriced: int = 0

    def count(self, microcredits: int | None, cost_nanousd: int | None) -> None:
        """One more call. None: nothing rated it, nobody knows its cost."""
        self.calls += 1
        if microcredits is None:
            self.unrated += 1
        else:
            self.microcredits += microcredits
        if cost_nanousd is None:
            self.unpriced += 1
        else:
            self.cost_nanousd += cost_nanousd


class Outcome(msgspec.Struct, kw_only=True):
    """One customer's period: what really happened with the same calls, and what the scenario makes of them."""

    customer_id: int
    key: str
    currency: str
    plan: str = ""
    """The plan at the end, in the scenario."""
    real: Sums = msgspec.field(default_factory=Sums)
    simulated: Sums = msgspec.field(default_factory=Sums)
    refused: Sums = msgspec.field(default_factory=Sums)
    """Calls that did not happen: the credits they would have charged and the cost that was saved."""
    downgraded: int = 0
    moved: int = 0
    """Calls that went to another model because the scenario says so."""
    debt: int = 0
    """Owed at the end, microcredits."""
    revenue_nano: dict[str, int] = msgspec.field(default_factory=dict)
    """By kind, in `currency`."""
    hits: dict[str, Hit] = msgspec.field(default_factory=dict)

    def hit(self, name: str, at: datetime) -> None:
        """Note that a limit was met."""
        known = self.hits.get(name)
        if known is None:
            self.hits[name] = Hit(at)
        else:
            known.calls += 1


class Epoch(msgspec.Struct, frozen=True):
    """From this many ledger entries on, the customer was on this plan."""

    entries: int
    plan: PlanTerms | None


def recognise(
    start: Start,
    stays: Iterable[tuple[SubscriptionTerms, str]],
    ledger: Sequence[LedgerRow],
    epochs: Sequence[Epoch],
    *,
    since: datetime,
    until: datetime,
) -> dict[str, int]:
    """Revenue by kind in nano-units of the customer's currency; what is in another one is left out.

    `stays` are the subscriptions with the currency of their price.
    """
    revenue: dict[str, int] = dict.fromkeys(RevenueKind, 0)
    for terms, currency in stays:
        if currency == start.currency:
            revenue[RevenueKind.SUBSCRIPTION] += subscription_revenue(terms, since=since, until=until)
    revenue[RevenueKind.REVERSAL] += start.money_back_nano
    bases = {lot.id: GrantBasis(lot.amount, lot.paid_nano, lot.currency) for lot in start.lots if lot.paid_nano}
    for earned in ledger_revenue((*_used_before(start.lots), *_entries(ledger)), bases):
        if earned.currency == start.currency:
            revenue[earned.kind] += earned.revenue_nano
    bounds = [*(epoch.entries for epoch in epochs[1:]), len(ledger)]
    for epoch, end in zip(epochs, bounds, strict=True):
        if epoch.plan is None or epoch.plan.overage_price is None or epoch.plan.currency != start.currency:
            continue
        price = nano_of(Decimal(epoch.plan.overage_price))
        revenue[RevenueKind.OVERAGE] += sum(
            overage_revenue(-row.amount_microcredits, price)
            for row in ledger[epoch.entries : end]
            if row.bucket == Bucket.OVERAGE and row.kind in {EntryKind.OVERAGE, EntryKind.OVERAGE_PAID}
        )
    return revenue


def _used_before(lots: Iterable[Lot]) -> Iterator[Entry]:
    """What was gone of bought grants by the start: an entry that uses it up and earns nothing in this period."""
    for lot in lots:
        gone = lot.amount - lot.remaining
        if lot.paid_nano and gone:
            yield Entry(EntryKind.VOID, Bucket.POSTED, -gone, lot.effective_at, lot.id)


def _entries(ledger: Iterable[LedgerRow]) -> Iterator[Entry]:
    for row in ledger:
        if row.bucket == Bucket.POSTED:
            yield Entry(row.kind, row.bucket, row.amount_microcredits, row.effective_at, row.grant_id)
