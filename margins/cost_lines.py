"""What our other costs come to. Pure and linear, so that parts add up to the whole without rounding."""

from datetime import date
from enum import StrEnum
from operator import add
from typing import Final, NamedTuple

from margins.units import FEMTO_PER_NANO


class Basis(StrEnum):
    """What a cost line's amount is per."""

    PER_CUSTOMER = "per_customer"
    """Per customer on a plan and calendar month, spread evenly over the month."""
    PER_CALL = "per_call"
    PER_MILLION_TOKENS = "per_million_tokens"
    """Of input and output tokens together."""
    PER_CREDIT = "per_credit"
    """Per credit charged, whoever pays for it."""
    PERCENT_OF_REVENUE = "percent_of_revenue"


USAGE_BASES: Final = frozenset({Basis.PER_CALL, Basis.PER_MILLION_TOKENS, Basis.PER_CREDIT})
"""What follows from usage alone."""


class UsageTotals(NamedTuple):
    """Sums of usage that cost lines and completeness are computed from."""

    calls: int = 0
    memoised_calls: int = 0
    unpriced_calls: int = 0
    unrated_calls: int = 0
    tokens: int = 0
    """Input and output."""
    charged_microcredits: int = 0

    def plus(self, other: "UsageTotals") -> "UsageTotals":
        return UsageTotals(*map(add, self, other))


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
            return line.amount_nano * usage.tokens
        case Basis.PER_CREDIT:
            return line.amount_nano * usage.charged_microcredits
    return 0


def revenue_cost_femto(line: LineTerms, revenue_nano: int) -> int:
    """What a percentage line costs on this revenue, in femto-units of the revenue's currency; 0 on another basis."""
    # nano × (percent × 10⁴) ÷ 10⁶ is the cost in nano-units; × 10⁶ for femto-units cancels the division.
    return revenue_nano * line.percent_e4 if line.basis is Basis.PERCENT_OF_REVENUE else 0
