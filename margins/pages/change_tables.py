"""Tables of what changed, of runs, models and the checklist. One builder serves the page and the download."""

from datetime import timedelta
from typing import Final

from django.urls import reverse

from entitlements.models import Customer
from entitlements.queries.runs import Tree
from kernel.units import format_usd
from margins.checklist.answers import Status
from margins.margin import INFERENCE, SUPPLIER_CURRENCY
from margins.pages.cells import Cell
from margins.pages.data import Data
from margins.pages.people_tables import bar_cell, usd_cell
from margins.pages.tables import Table, amount, counted
from margins.pages.words import count, money, percent
from margins.pages.words_of_insight import EFFECTS, STATUSES, usd
from margins.people.bridge import Effects, Side
from margins.people.changes import WORK_ASSUMPTION
from margins.people.trees import dearest_trees, depth_of_trees, tree_levels
from margins.people.trend import by_month
from margins.period import Period
from margins.queries.margins import Dimension, MarginRow
from margins.units import format_femto


def signed(nanousd: int) -> Cell:
    """A change of cost: dearer is marked, cheaper is not."""
    sign = "+" if nanousd > 0 else ""
    return Cell(f"{sign}{usd(nanousd)}", format_usd(nanousd), tone="loss" if nanousd > 0 else "")


def effects_table(data: Data, csv: str = "") -> Table:
    """The bridge in words."""
    change = data.change
    before, after, bridge = change.before, change.after, change.bridge
    rows = [
        [Cell(_days(before)), usd_cell(bridge.before.cost), _calls(bridge.before)],
        *(
            [Cell(EFFECTS[name][0]), signed(effect), Cell(EFFECTS[name][1], wraps=True)]
            for name, effect in bridge.effects._asdict().items()
        ),
        [Cell(_days(after)), usd_cell(bridge.after.cost), _calls(bridge.after)],
    ]
    missing = change.unpriced_before + change.unpriced_after
    left_out = f" {count(missing)} unpriced calls are left out." if missing else ""
    return Table("Why cost changed", ("", "US dollars", ""), rows, csv=csv, note=WORK_ASSUMPTION + left_out)


def _days(period: Period) -> str:
    last = period.end - timedelta(days=1)
    return f"Cost {period.start:%-d %b} to {last:%-d %b}"


def _calls(side: Side) -> Cell:
    return Cell(f"{count(side.calls)} calls", str(side.calls))


def moved_table(data: Data, by: str, csv: str = "", *, most: int | None = None) -> Table:
    """The bridge by `model` or by `feature`, those that moved the cost most first."""
    rows = [_moved(data, by, *row) for row in data.change.merged(by)[:most]]
    columns = (by.title(), "Calls before", "after", "Cost before", "after", *(words for words, _ in EFFECTS.values()))
    return Table(f"By {by}", columns, rows, csv=csv)


def _moved(data: Data, by: str, key: str, old: Side, new: Side, effects: Effects) -> list[Cell]:
    href = "" if not key else data.links.of_feature(key) if by == "feature" else data.links.list_of({"model": key})
    return [
        Cell(key or f"(no {by})", href=href, tone="" if key else "muted"),
        counted(old.calls),
        counted(new.calls),
        usd_cell(old.cost),
        usd_cell(new.cost),
        *(signed(effect) for effect in effects),
    ]


def models_table(data: Data, csv: str = "", *, most: int | None = None) -> Table:
    """Models by what their inference costs."""
    rows = sorted(data.by(Dimension.MODEL), key=lambda row: (-_inference(row), str(row.key[0])))
    whole = sum(_inference(row) for row in rows)
    return Table(
        "Models by cost",
        ("Model", "Calls", "Inference", "Share", "Margin"),
        [
            [
                Cell(
                    str(row.key[0] or "unallocated"),
                    href=data.links.list_of({"model": str(row.key[0])}) if row.key[0] else "",
                    tone="" if row.key[0] else "muted",
                ),
                counted(row.margin.usage.calls),
                Cell(money(_inference(row), "USD"), format_femto(_inference(row))),
                bar_cell(_inference(row), whole),
                Cell(percent(row.margin.margin_ratio), row.margin.margin_ratio or ""),
            ]
            for row in rows[:most]
        ],
        csv=csv,
    )


def _inference(row: MarginRow) -> int:
    """Supplier cost, in US dollars whoever is billed in what."""
    return sum(
        amounts.cogs.get(INFERENCE, 0)
        for currency, amounts in ((row.margin.currency, row.margin.own), *row.margin.other.items())
        if currency == SUPPLIER_CURRENCY
    )


def months_table(data: Data, csv: str = "") -> Table:
    """The margin and what AI takes of revenue, month by month."""
    return Table(
        "Month by month",
        ("Month", "Revenue", "COGS", "Gross margin", "Margin", "AI of revenue"),
        [
            [
                Cell(f"{one.month:%b %Y}", one.month.isoformat()),
                amount(one.margin.own.total_revenue, one.margin.currency),
                amount(one.margin.own.total_cogs, one.margin.currency),
                Cell("–") if one.margin.gross_margin is None else amount(one.margin.gross_margin, one.margin.currency),
                Cell(percent(one.margin.margin_ratio), one.margin.margin_ratio or ""),
                Cell(percent(one.inference_ratio), one.inference_ratio or ""),
            ]
            for one in by_month(data.by(Dimension.DAY))
        ],
        csv=csv,
        note="As far as the period reaches.",
    )


NO_RUNS: Final = "No runs were opened in these days."


def depths_table(data: Data, csv: str = "") -> Table:
    """All trees of runs by how deep they went."""
    rows = [
        [
            Cell(f"{one.depth} deep", str(one.depth)),
            counted(one.trees),
            counted(one.runs),
            counted(one.steps),
            usd_cell(one.cost_nanousd),
            usd_cell(one.per_tree_nanousd),
            usd_cell(one.first_level_nanousd // one.trees),
        ]
        for one in depth_of_trees(data.asked.period)
    ]
    return Table(
        "What depth adds",
        ("Trees", "How many", "Runs", "Calls", "Cost", "per tree", "of it the outermost run’s own calls"),
        rows,
        csv=csv,
        note="Of runs opened in these days. A run inside a run is one deeper; an outermost run alone is 1 deep.",
        empty=NO_RUNS,
    )


def trees_table(data: Data) -> Table:
    """The dearest trees, each with its levels a click away."""
    runs = list(dearest_trees(data.asked.period))
    keys = dict(Customer.objects.filter(id__in={run.customer_id for run in runs}).values_list("id", "key"))
    rows = []
    for run in runs:
        key = keys[run.customer_id]
        href = f"{reverse('margins:run', kwargs={'key': key, 'run_id': run.id})}?{data.asked.query}"
        rows.append([Cell(run.key, href=href), Cell(key), counted(run.steps), usd_cell(run.cost_nanousd)])
    return Table("Dearest trees", ("Run", "Customer", "Calls", "Cost"), rows, empty=NO_RUNS)


def levels_table(tree: Tree) -> Table:
    """One tree, depth by depth."""
    levels = tree_levels(tree)
    whole = levels[-1].upto if levels else 0
    rows = [
        [
            Cell(f"Depth {level.depth}"),
            counted(level.runs),
            counted(level.steps),
            usd_cell(level.cost),
            bar_cell(level.cost, whole),
            usd_cell(level.upto),
        ]
        for level in levels
    ]
    note = "Stopping there: what the tree would have cost, had no deeper run been opened."
    if tree.more:
        note += " The tree is larger than is shown: its deepest runs count at the depth of those around them."
    return Table("Depth by depth", ("", "Runs", "Calls", "Cost", "Share", "Stopping there"), rows, note=note)


def checklist_table(data: Data, csv: str = "", *, only_open: bool = False) -> Table:
    """The questions with their answers; `only_open` leaves out those answered with yes."""
    rows = []
    for one in data.checklist:
        words, tone = STATUSES[one.status]
        if not (only_open and one.status is Status.YES):
            rows.append(
                [
                    Cell(one.question),
                    Cell(words, one.status, tone=tone),
                    Cell(one.evidence, one.evidence, wraps=True),
                    Cell(one.link_text, one.link, href=one.link),
                ]
            )
    return Table(
        "Questions and evidence",
        ("Question", "Answer", "Evidence", "Where"),
        rows,
        csv=csv,
        empty="Every question that could be asked is answered with yes.",
    )


def checklist_score(data: Data) -> str:
    """ "9 of 12"."""
    answered = [one.status for one in data.checklist if one.status is not Status.UNKNOWN]
    return f"{answered.count(Status.YES)} of {len(answered)}"


def findings_table(data: Data, csv: str = "", *, most: int | None = None) -> Table:
    """What the audit says of the plans on sale, worst first."""
    return Table(
        "Plans on sale",
        ("Plan", "Severity", "Finding", "Remedy"),
        [
            [
                Cell(
                    f"{one.plan} v{one.number}",
                    href=reverse("admin:plans_planversion_change", args=[one.version_id]),
                ),
                Cell(one.finding.severity, tone=_SEVERITY_TONES.get(one.finding.severity, "")),
                Cell(one.finding.detail, one.finding.detail, wraps=True),
                Cell(one.finding.remedy, one.finding.remedy, wraps=True),
            ]
            for one in data.findings[:most]
        ],
        csv=csv,
        empty="Nothing to object to.",
    )


_SEVERITY_TONES: Final = {"blocking": "loss", "warning": "caution"}
