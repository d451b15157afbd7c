"""A customer's figures as a line of a CSV file: exact, in the order of COLUMNS."""

from typing import Any, Final

from kernel.clock import format_instant
from kernel.units import format_credits, format_usd

COLUMNS: Final = (
    *("customer", "currency", "plan", "real_calls", "calls", "real_credits", "credits", "real_cost_usd", "cost_usd"),
    *("real_revenue", "revenue", "refused_calls", "lost_credits", "saved_usd", "downgraded_calls", "moved_calls"),
    *("unpriced_calls", "debt_credits", "first_limit", "first_limit_at"),
)


def exported(row: Any) -> list[str | int]:
    """The line of a `SimulationRow`."""
    return [
        row.customer_key,
        row.currency,
        row.plan,
        row.real_calls,
        row.calls,
        format_credits(row.real_microcredits),
        format_credits(row.microcredits),
        format_usd(row.real_cost_nanousd),
        format_usd(row.cost_nanousd),
        format_usd(row.real_revenue_nano),
        format_usd(row.revenue_nano),
        row.refused_calls,
        format_credits(row.lost_microcredits),
        format_usd(row.saved_nanousd),
        row.downgraded_calls,
        row.moved_calls,
        row.unpriced_calls,
        format_credits(row.debt_microcredits),
        row.first_limit,
        format_instant(row.first_limit_at) if row.first_limit_at else "",
    ]
