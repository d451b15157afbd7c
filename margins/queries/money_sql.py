"""The parts of the statement behind money facts: revenue, and the costs there are lines of."""

from collections.abc import Sequence
from typing import Any, Final

from margins.cost_lines import Basis, LineTerms, SharedBy
from margins.queries.ledger_sql import NOTHING_UNREAD, UNREAD, fragment
from margins.recognition import day_start
from margins.slices import Slice

_REVENUE: Final = ("subscription_revenue", "reversal_revenue")

_SOURCES: Final = {
    Basis.PER_CUSTOMER: "customer_costs",
    Basis.PER_SEAT: "customer_costs",
    Basis.PER_ACTIVE_USER: "user_costs",
    Basis.PER_ACTIVE_USER_DAY: "user_costs",
    Basis.PER_MILLION_TOKENS: "token_costs",
    Basis.PER_RUN: "run_costs",
    Basis.PER_PAYMENT: "payment_costs",
    Basis.SHARED: "shared_costs",
}

_NEEDED: Final = {"payment_costs": ("bills",), "shared_costs": ("everyones_key",)}
"""CTEs a source reads besides those all have."""

_NO_REVENUE: Final = """everyones_revenue AS (
    SELECT NULL::bigint AS customer_id, NULL::bigint AS slice, NULL::text AS currency, 0::numeric AS amount_nano
    WHERE false)"""


def whole_months(slices: Sequence[Slice]) -> bool:
    """Whether the slices are of whole calendar months, so that the monthly rollups tell them."""
    return all(one.first_day.day == 1 and one.end_day.day == 1 for one in slices)


def usage_rollup(of_months: bool, by_user: bool) -> str:
    """Which rollup of usage serves: months know no users."""
    return "usage_of_months" if of_months and not by_user else "usage_of_days"


def money_sources(
    lines: Sequence[LineTerms], *, whole_months: bool, by_user: bool, unread: bool
) -> tuple[list[str], list[str]]:
    """The CTEs and the sources of facts. `lines` are those whose cost does not follow from rows.

    `unread`: whether ledgers of those asked about may have grown since they were added up.
    """
    costs = sorted({_SOURCES[line.basis] for line in lines})
    of_ledgers = "ledger_revenue_of_months" if whole_months else "ledger_revenue_of_days"
    earned = UNREAD if unread or "shared_costs" in costs else NOTHING_UNREAD
    ctes = [fragment(name) for name in ("slice", "cohort", "line", *earned)]
    if "shared_costs" in costs:
        # What everyone earned is asked for whoever the report is about, and so is what is not added up yet.
        ctes = [_of_everyone(cte) for cte in ctes]
        by_revenue = any(line.shared_by is SharedBy.REVENUE for line in lines)
        ctes.append(_everyones_revenue() if by_revenue else _NO_REVENUE)
    if "token_costs" in costs:
        ctes.append(fragment(usage_rollup(whole_months, by_user)))
    ctes += [fragment(name) for cost in costs for name in _NEEDED.get(cost, ())]
    return ctes, [fragment(name) for name in (*_REVENUE, of_ledgers, *costs)]


def _everyones_revenue() -> str:
    sources = (_of_everyone(fragment(name)) for name in (*_REVENUE, "ledger_revenue_of_days"))
    union = " UNION ALL ".join(f"({source})" for source in sources)
    return f"everyones_revenue AS (SELECT customer_id, slice, currency, amount_nano FROM ({union}) r)"  # noqa: S608 - our own files


def _of_everyone(statement: str) -> str:
    return statement.replace("%(customers)s::bigint[]", "NULL::bigint[]")


def line_parameters(lines: Sequence[LineTerms]) -> dict[str, Any]:
    """The lines as the arrays of line.sql."""
    return {
        "line_id": [line.id for line in lines],
        "line_basis": [line.basis.value for line in lines],
        "line_amount_nano": [line.amount_nano * line.seats for line in lines],
        "line_currency": [line.currency for line in lines],
        "line_percent_e4": [line.percent_e4 for line in lines],
        "line_starts_at": [day_start(line.starts_on) for line in lines],
        "line_ends_at": [day_start(line.ends_on) if line.ends_on else None for line in lines],
        "line_customer_id": [line.customer_id for line in lines],
        "line_plan_id": [line.plan_id for line in lines],
        "line_feature_id": [line.feature_id for line in lines],
        "line_meter": [line.meter for line in lines],
        "line_shared_by": [line.shared_by.value if line.shared_by else None for line in lines],
    }
