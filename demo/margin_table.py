"""The first look at the demo company: who loses money, who earns it, and what all of it comes to."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from rich import box
from rich.console import Console
from rich.table import Table

from entitlements.models import Subscription
from margins.margin import Margin, losses_first, total
from margins.queries.margins import Dimension, MarginRow, Scope, margin_rows
from margins.units import format_femto

MOST_LOSSES = 5
MOST_EARNERS = 5


def print_margins(console: Console, start: datetime, until: datetime) -> None:
    """Print the largest losses and the largest margins of the days from `start` to `until`."""
    scope = Scope(start.date(), until.date() + timedelta(days=1))
    rows = sorted(margin_rows(scope, [Dimension.CUSTOMER], now=until), key=lambda row: losses_first(row.margin))
    plans = dict(Subscription.objects.order_by("started_at").values_list("customer__key", "plan_version__plan__name"))
    title = f"Gross margin in USD, {start:%-d %B} to {until:%-d %B %Y}, losses first"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("customer", no_wrap=True)
    table.add_column("plan", no_wrap=True)
    for name in ("revenue", "inference", "other", "margin", ""):
        table.add_column(name, justify="right", no_wrap=True)
    worst, rest = rows[:MOST_LOSSES], rows[MOST_LOSSES:]
    for row in worst:
        table.add_row(*_cells(row, plans))
    if len(rest) > MOST_EARNERS:
        table.add_row(f"… {len(rest) - MOST_EARNERS} more", style="dim")
    for row in rest[-MOST_EARNERS:]:
        table.add_row(*_cells(row, plans))
    table.add_section()
    for margin in total(row.margin for row in rows):
        table.add_row(f"all {len(rows)} customers", "", *_figures(margin), style="bold")
    console.print(table)


def _cells(row: MarginRow, plans: dict[str, str]) -> Sequence[str]:
    customer = str(row.key[0])
    return customer, plans.get(customer, ""), *_figures(row.margin)


def _figures(margin: Margin) -> Sequence[str]:
    own = margin.own
    inference = own.cogs.get("inference", 0)
    share = "" if margin.margin_ratio is None else f"{Decimal(margin.margin_ratio):.1%}"
    gross = margin.gross_margin
    color = "red" if gross is not None and gross < 0 else "green"
    return (
        _money(own.total_revenue),
        _money(inference),
        _money(own.total_cogs - inference),
        "" if gross is None else f"[{color}]{_money(gross)}[/]",
        share,
    )


def _money(femto: int) -> str:
    return f"{Decimal(format_femto(femto)):,.2f}"
