"""The topics of the dashboard and the report: each a sentence, a chart where one helps, and tables."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from margins.cost_charts import Step, heavy_curve, waterfall
from margins.pages import change_tables as changes
from margins.pages import people_tables as folk
from margins.pages import savings_tables as thrift
from margins.pages.data import Data
from margins.pages.tables import Table
from margins.pages.words import count, money
from margins.pages.words_of_insight import EFFECTS, share, usd
from margins.units import FEMTO_PER_NANO
from plans.auditing import SEVERITIES


@dataclass(frozen=True, slots=True)
class Block:
    """`fallback` says in figures what the chart draws; `more` leads to the topic's own page."""

    id: str
    title: str
    lead: str
    tables: Sequence[Table] = ()
    chart: SafeString | None = None
    fallback: Table | None = None
    more: str = ""
    more_text: str = "More"
    wide: bool = False
    """Sentences in its tables need the whole width."""

    @property
    def has_one_table(self) -> bool:
        """Which then needs no title beside the topic's."""
        return len(self.tables) == 1


_FEW: Final = 6


def bridge_block(data: Data) -> Block:
    """Why cost changed since the days before."""
    change, bridge = data.change, data.change.bridge
    difference = bridge.effects.total
    price = bridge.effects.price
    more, dearer = "more" if difference >= 0 else "less", "dearer" if price > 0 else "cheaper"
    lead = (
        f"From {change.after.start:%-d %B} on inference cost {usd(bridge.after.cost)}, {usd(abs(difference))} {more} "
        f"than in the {change.before.days} days before. Prices alone made it {usd(abs(price))} {dearer}."
    )
    return Block(
        "bridge",
        "Why cost changed",
        lead,
        chart=bridge_chart(data),
        fallback=changes.effects_table(data),
        more=_page(data, "bridge"),
    )


def bridge_chart(data: Data) -> SafeString:
    bridge = data.change.bridge
    effects = [(EFFECTS[name][0], effect) for name, effect in bridge.effects._asdict().items()]
    steps = [
        Step("Before", bridge.before.cost, is_level=True, hint=f"Before: {usd(bridge.before.cost)}"),
        *(Step(words, effect, hint=f"{words}: {usd(effect)}") for words, effect in effects),
        Step("After", bridge.after.cost, is_level=True, hint=f"After: {usd(bridge.after.cost)}"),
    ]
    drawn = waterfall(
        steps if bridge.before.cost or bridge.after.cost else [],
        chart_id="bridge",
        title="From the cost of the days before to this cost",
        description="; ".join(step.hint for step in steps),
        amount_text=_scale,
    )
    return mark_safe(drawn)  # noqa: S308 - cost_charts.py escapes every text


def people_block(data: Data) -> Block:
    """Who holds the cost."""
    found = data.people
    heavy = next(top for top in found.of_users.tops if top.percent == 5)
    lead = (
        f"The heaviest 5 % of users ({count(heavy.people)} of {count(found.of_users.people)}) hold "
        f"{share(heavy.cost, found.of_users.cost)} of inference cost. "
    )
    if found.p95 is not None:
        covered = {True: "covers", False: "does not cover", None: "cannot be compared with"}[found.p95.covered]
        lead += f"What the user at the 95th percentile brings {covered} its {usd(found.p95.cost_nanousd)}."
    return Block(
        "people",
        "Who holds the cost",
        lead if found.users else "Nobody has used anything in these days.",
        chart=people_chart(data),
        fallback=folk.tops_table(data),
        more=_page(data, "people"),
    )


def people_chart(data: Data) -> SafeString:
    of = data.people.of_users
    marks = [
        (top.people, top.cost, f"The heaviest {top.percent} %: {share(top.cost, of.cost)} of cost") for top in of.tops
    ]
    drawn = heavy_curve(
        data.people.curve(),
        marks,
        chart_id="people",
        title="Share of cost held by the heaviest users",
        description="; ".join(text for _, _, text in marks),
    )
    return mark_safe(drawn)  # noqa: S308 - cost_charts.py escapes every text


def savings_block(data: Data) -> Block:
    """What was saved and could be; above very many events only where to read it."""
    title, more = "Savings", _page(data, "savings")
    if not data.savings_are_quick:
        return Block("savings", title, "What was saved is told by every single event: it has its own page.", more=more)
    return Block("savings", title, savings_lead(data), [thrift.means_table(data)], more=more)


def savings_lead(data: Data) -> str:
    """What was saved and could be, in a sentence."""
    found = data.savings
    return (
        f"{usd(found.saved_nanousd)} saved by caching, batches, cheaper tiers and answers at hand; "
        f"{usd(found.would_save_nanousd)} more could have been, of {usd(found.cost_nanousd)} of inference."
    )


def features_block(data: Data) -> Block:
    """Features against the benchmarks."""
    return Block(
        "features",
        "Features",
        "Furthest below their benchmark first.",
        [folk.standings_table(data)],
        more=_page(data, "features"),
    )


def models_block(data: Data) -> Block:
    """Where inference goes."""
    table = changes.models_table(data, csv=_csv(data, "model-costs"), most=_FEW)
    return Block("models", "Models", "Dearest first.", [table.without("Calls")])


def findings_block(data: Data) -> Block:
    """What the plans on sale risk, worst first."""
    found = data.findings
    table = changes.findings_table(data, csv=_csv(data, "findings"), most=_FEW)
    kinds = Counter(one.finding.severity for one in found)
    lead = ", ".join(f"{count(kinds[severity])} {severity}" for severity in SEVERITIES if kinds[severity])
    plans = len({one.plan for one in found})
    words = (
        f"{lead} on {count(plans)} of the plans on sale, worst first." if found else "Every plan on sale was audited."
    )
    return Block("findings", "Plan audit", words, [table], more=_page(data, "checklist") + "#audit", wide=True)


def checklist_block(data: Data) -> Block:
    """What is left to do for a margin that holds."""
    return Block(
        "checklist",
        "Margin resilience",
        f"{changes.checklist_score(data)} questions are answered with yes. These are not:",
        [changes.checklist_table(data, only_open=True)],
        more=_page(data, "checklist"),
        wide=True,
    )


def months_block(data: Data) -> Block:
    """Margin and what AI takes of revenue, by month."""
    table = changes.months_table(data, csv=_csv(data, "months"))
    return Block("months", "Month by month", "What AI takes of revenue.", [table.without("COGS", "Gross margin")])


def _page(data: Data, name: str) -> str:
    return f"{reverse(f'margins:{name}')}?{data.asked.query}"


def _csv(data: Data, table: str) -> str:
    return f"{reverse('margins:overview_csv', kwargs={'table': table})}?{data.asked.query}"


def _scale(nanousd: int) -> str:
    return money(nanousd * FEMTO_PER_NANO, "USD")
