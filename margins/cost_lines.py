"""What our other costs come to. Pure and linear, so that parts add up to the whole without rounding."""

from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from margins.units import FEMTO_PER_NANO


class Basis(StrEnum):
    """What a cost line's amount is per."""

    PER_CUSTOMER = "per_customer"
    """Per customer on a plan and calendar month, spread evenly over the month."""
    PER_SEAT = "per_seat"
    """The same for each of a stated number of seats."""
    PER_ACTIVE_USER = "per_active_user"
    """Per user who used anything in the calendar month, on the first day they did."""
    PER_ACTIVE_USER_DAY = "per_active_user_day"
    """Per user and day on which they used anything."""
    PER_CALL = "per_call"
    PER_RUN = "per_run"
    """Per agent run, on the day it was opened."""
    PER_MILLION_TOKENS = "per_million_tokens"
    """Of input and output tokens together, or of one kind (`LineTerms.meter`)."""
    PER_CREDIT = "per_credit"
    """Per credit charged, whoever pays for it."""
    PERCENT_OF_REVENUE = "percent_of_revenue"
    PER_PAYMENT = "per_payment"
    """So much for each payment and so much % of it: what a payment provider keeps."""
    SHARED = "shared"
    """So much a calendar month for everyone together, each day's part divided by a key (`SharedBy`)."""


class SharedBy(StrEnum):
    """By what a shared cost is divided among customers, day by day."""

    REVENUE = "revenue"
    """Recognised that day, in the line's own currency."""
    CALLS = "calls"
    COST = "cost"
    """Supplier cost."""
    CREDITS = "credits"
    """Charged."""
    CUSTOMERS = "customers"
    """Evenly among those on a plan."""


METERS: Final = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
)
"""The kinds of tokens a line can be per million of. Totals are inclusive: reads and writes are part of the input."""

USAGE_BASES: Final = frozenset({Basis.PER_CALL, Basis.PER_MILLION_TOKENS, Basis.PER_CREDIT})
"""What follows from usage alone."""


class UsageTotals(msgspec.Struct, frozen=True, gc=False):
    """Sums of usage that cost lines and completeness are computed from."""

    calls: int = 0
    memoised_calls: int = 0
    unpriced_calls: int = 0
    unrated_calls: int = 0
    tokens: int = 0
    """Input and output."""
    charged_microcredits: int = 0

    def plus(self, other: "UsageTotals") -> "UsageTotals":
        return UsageTotals(
            self.calls + other.calls,
            self.memoised_calls + other.memoised_calls,
            self.unpriced_calls + other.unpriced_calls,
            self.unrated_calls + other.unrated_calls,
            self.tokens + other.tokens,
            self.charged_microcredits + other.charged_microcredits,
        )


class LineTerms(NamedTuple):
    """A cost line as a value. `amount_nano` is in `currency`; `percent_e4` is in ten-thousandths of a per cent.

    Selectors that are None select everything. Holds on UTC days [starts_on, ends_on).
    """

    id: int
    key: str
    name: str
    basis: Basis
    amount_nano: int
    currency: str
    percent_e4: int
    starts_on: date
    ends_on: date | None = None
    customer_id: int | None = None
    plan_id: int | None = None
    feature_id: int | None = None
    seats: int = 1
    meter: str = ""
    shared_by: SharedBy | None = None

    @property
    def follows_rows(self) -> bool:
        """Whether its cost follows from any row's own usage or revenue; else the database tells it."""
        return (self.basis in USAGE_BASES and not self.meter) or self.basis is Basis.PERCENT_OF_REVENUE

    def holds_on(self, day: date) -> bool:
        return self.starts_on <= day and (self.ends_on is None or day < self.ends_on)

    def selects(self, *, customer_id: int | None, plan_id: int | None, feature_id: int | None) -> bool:
        """Whether figures of this customer, plan and feature bear the line."""
        return (
            self.customer_id in {None, customer_id}
            and self.plan_id in {None, plan_id}
            and self.feature_id in {None, feature_id}
        )


def usage_cost_femto(line: LineTerms, usage: UsageTotals) -> int:
    """What a per-unit line costs for this usage, in femto-units of the line's currency; 0 on another basis."""
    match line.basis:
        case Basis.PER_CALL:
            return line.amount_nano * usage.calls * FEMTO_PER_NANO
        case Basis.PER_MILLION_TOKENS:
            return 0 if line.meter else line.amount_nano * usage.tokens
        case Basis.PER_CREDIT:
            return line.amount_nano * usage.charged_microcredits
    return 0


def revenue_cost_femto(line: LineTerms, revenue_nano: int) -> int:
    """What a percentage line costs on this revenue, in femto-units of the revenue's currency; 0 on another basis."""
    # nano × (percent × 10⁴) ÷ 10⁶ is the cost in nano-units; × 10⁶ for femto-units cancels the division.
    return revenue_nano * line.percent_e4 if line.basis is Basis.PERCENT_OF_REVENUE else 0
