"""Tables of people, cohorts and features. One builder serves the page and, unabridged, the download."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from django.urls import reverse
from django.utils.safestring import mark_safe

from entitlements.models import Customer
from kernel.units import format_usd
from margins.cost_charts import share_bar
from margins.pages.cells import Cell
from margins.pages.data import Data
from margins.pages.tables import Table, amount, counted, margin_table
from margins.pages.words import count, percent
from margins.pages.words_of_insight import STANDINGS, TYPES, share, usd
from margins.people.cohorts import Cell as CohortCell
from margins.people.cohorts import Cohort, cohort_costs
from margins.people.features import FeaturePayback, FeatureStanding, feature_paybacks, feature_standings
from margins.people.heavy import Concentration
from margins.people.users import REVENUE_ASSUMPTION, Person
from margins.queries.margins import Dimension
from margins.units import ratio


def usd_cell(nanousd: int, *, tone: str = "") -> Cell:
    """Nano-USD, with the exact figure behind it."""
    return Cell(usd(nanousd), format_usd(nanousd), tone=tone)


def bar_cell(part: int, whole: int) -> Cell:
    """A share in words and as a bar."""
    said = share(part, whole)
    return Cell(said, ratio(part, whole) or "", markup=mark_safe(share_bar(part, whole, label=said)))  # noqa: S308 - see cost_charts.py


def tops_table(data: Data, csv: str = "") -> Table:
    """What the heaviest 1, 5 and 10 % hold, of users and of customers."""
    found = data.people
    rows = [
        row for name, of in (("users", found.of_users), ("customers", found.of_customers)) for row in _tops(name, of)
    ]
    return Table(
        "Share of cost",
        ("Heaviest", "How many", "Cost", "Share of cost"),
        rows if found.users else [],
        csv=csv,
        note="Usage that named no user counts as one user of its customer.",
    )


def _tops(name: str, of: Concentration) -> Iterable[list[Cell]]:
    for top in of.tops:
        yield [
            Cell(f"{top.percent} % of {name}"),
            Cell(f"{count(top.people)} of {count(of.people)}", str(top.people)),
            usd_cell(top.cost),
            bar_cell(top.cost, of.cost),
        ]


def users_table(data: Data, csv: str = "", *, most: int | None = None) -> Table:
    """Users by what they cost, heaviest first, and whether what they bring covers it."""
    users = data.people.users if most is None else data.people.users[:most]
    ids = dict(Customer.objects.filter(key__in={user.customer for user in users}).values_list("key", "id"))
    whole = data.people.of_users.cost
    return Table(
        "Users by cost",
        ("Customer", "User", "Calls", "Cost", "Share of cost", "Revenue", "Covered"),
        [_user(data, user, ids[user.customer], whole) for user in users],
        csv=csv,
        note=REVENUE_ASSUMPTION,
    )


def _user(data: Data, user: Person, customer_id: int, whole: int) -> list[Cell]:
    events = {"customer__id__exact": str(customer_id), "user_key": user.user}
    return [
        Cell(user.customer, href=f"{reverse('margins:customer', kwargs={'key': user.customer})}?{data.asked.query}"),
        Cell(user.user or "(none named)", user.user, href=data.links.list_of(events)),
        counted(user.calls, note=f"{count(user.unpriced_calls)} unpriced" if user.unpriced_calls else ""),
        usd_cell(user.cost_nanousd),
        bar_cell(user.cost_nanousd, whole),
        Cell("–") if user.revenue_femto is None else amount(user.revenue_femto, "USD"),
        covered_cell(user),
    ]


def covered_cell(user: Person) -> Cell:
    return {
        None: Cell("another currency", "", tone="muted"),
        True: Cell("yes", "yes"),
        False: Cell("no", "no", tone="loss"),
    }[user.covered]


def cohorts_table(data: Data, csv: str = "") -> Table:
    """Cost per cohort, month by month."""
    return Table(
        "Cost per cohort over time",
        ("First subscribed", "Month", "Age", "Customers", "Active", "Calls", "Cost", "per active customer"),
        [_cohort(cohort, cell) for cohort in cohort_costs(data.asked.period) for cell in cohort.cells],
        csv=csv,
        note="Whole calendar months (UTC) from the one in which the period starts.",
    )


def _cohort(cohort: Cohort, cell: CohortCell) -> list[Cell]:
    age = cohort.age(cell)
    return [
        Cell(f"{cohort.month:%b %Y}" if cohort.month else "never subscribed"),
        Cell(f"{cell.month:%b %Y}", cell.month.isoformat()),
        Cell("–" if age is None else f"{age} months", "" if age is None else str(age)),
        counted(cohort.customers),
        counted(cell.active),
        counted(cell.calls),
        usd_cell(cell.cost_nanousd),
        usd_cell(cell.cost_per_active),
    ]


def cohort_margins_table(data: Data, csv: str = "") -> Table:
    return margin_table(data.by_cohort, Dimension.COHORT, title="Margin by cohort", csv=csv)


BENCHMARKS: Final = (
    "AI-native products keep 52 % on average, classic SaaS 75 to 85 %. The gap is to the least of the type."
)


def features_table(data: Data, csv: str = "", *, most: int | None = None) -> Table:
    """Features against the benchmarks, the one furthest below first."""
    return Table(
        "Features against the benchmarks",
        ("Feature", "Type", "Revenue", "COGS", "Margin", "Standing", "Gap"),
        [_feature(data, one) for one in feature_standings(data.by(Dimension.FEATURE))[:most]],
        csv=csv,
        note=BENCHMARKS,
    )


def standings_table(data: Data) -> Table:
    """The same in short, without what belongs to no feature."""
    whole = features_table(data, most=None)
    named = [row for row in whole.rows if row[0].href]
    return replace(whole, rows=named).without("Type", "Revenue", "COGS")


def _feature(data: Data, one: FeatureStanding) -> list[Cell]:
    own, currency = one.margin.own, one.margin.currency
    words, tone = STANDINGS[one.standing] if one.standing else ("–", "muted")
    gap = "–" if one.gap_points is None else f"{one.gap_points} points".replace("-", "−")
    return [
        Cell(one.feature or "unallocated", href=_events_of(data, one.feature), tone="" if one.feature else "muted"),
        Cell(TYPES[one.feature_type], one.feature_type),
        amount(own.total_revenue, currency),
        amount(own.total_cogs, currency),
        Cell(percent(one.margin.margin_ratio), one.margin.margin_ratio or "", tone=tone),
        Cell(words, one.standing or "", tone=tone),
        Cell(gap, one.gap_points or ""),
    ]


def _events_of(data: Data, feature: str | None) -> str:
    return data.links.of_feature(feature) if feature else ""


def payback_table(data: Data, csv: str = "") -> Table:
    """What features are said to earn against what they cost."""
    found = feature_paybacks(data.asked.period, data.all_by_feature, data.asked.now)
    return Table(
        "Payback of AI features",
        ("Feature", "Benefit", "Cost", "Net", "Benefit ÷ cost", "Active users", "Investment back", "Assumption"),
        [_payback(one) for one in found],
        csv=csv,
        note="Per active user and calendar month. Cost is all COGS of the feature in US dollars.",
        empty="Nobody has stated yet what a feature earns.",
    )


def _payback(one: FeaturePayback) -> list[Cell]:
    benefit, paid = one.benefit, one.payback
    href = reverse("admin:margins_featurebenefit_change", args=[benefit.pk])
    stated = Cell(f"{benefit.amount}", str(benefit.amount.amount.normalize()), note=benefit.get_kind_display())
    if paid is None:
        blank = [Cell("–")] * 5
        return [Cell(benefit.feature.key, href=href), stated, *blank, Cell(benefit.assumption, benefit.assumption)]
    return [
        Cell(benefit.feature.key, href=href),
        stated,
        amount(paid.cost, "USD"),
        amount(paid.net, "USD"),
        Cell(_multiple(paid.benefit_per_cost), paid.benefit_per_cost or ""),
        counted(paid.users),
        Cell(_back(one), paid.months or "", tone="" if paid.pays else "loss"),
        Cell(benefit.assumption, benefit.assumption),
    ]


def _multiple(ratio: str | None) -> str:
    return "–" if ratio is None else f"{float(ratio):.2f} ×"


def _back(one: FeaturePayback) -> str:
    paid = one.payback
    if paid is None or paid.months is None:
        return "never"
    return f"after {float(paid.months):.1f} months" if paid.investment else "at once"
