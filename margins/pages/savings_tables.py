"""Tables of what was saved and could be. One builder serves the page and, unabridged, the download."""

from collections import defaultdict
from fractions import Fraction

from margins.pages.cells import Cell
from margins.pages.data import Data
from margins.pages.people_tables import usd_cell
from margins.pages.tables import Table, counted
from margins.pages.words import count
from margins.pages.words_of_insight import MEANS, VERDICTS, percent_of, share, task_name, times, usd
from margins.savings.advice import Advice
from margins.savings.caching import CacheUse
from margins.savings.hosting import Threshold
from margins.savings.saved import ASSUMPTION, Means, Saving
from margins.savings.tiers import TaskTiers
from margins.units import ratio


def means_table(data: Data) -> Table:
    """What each means saved, and would save beside."""
    found = data.savings
    saved: dict[Means, int] = defaultdict(int)
    more: dict[Means, int] = defaultdict(int)
    for one in found.saved:
        saved[one.means] += one.saved_nanousd
    for advice in found.advice:
        more[advice.move.means] += advice.together_nanousd
    rows = [
        [Cell(words), usd_cell(saved[means], tone="loss" if saved[means] < 0 else ""), usd_cell(more[means])]
        for means, words in MEANS.items()
    ]
    total = [Cell("Together, each dollar once"), usd_cell(found.saved_nanousd), usd_cell(found.would_save_nanousd)]
    return Table("What it saved, and would have", ("Means", "Saved", "Would have saved"), rows, total=total)


def saved_table(data: Data, csv: str = "", *, most: int | None = None) -> Table:
    return Table(
        "What was saved",
        ("Task", "Means", "Model", "Instead of", "Calls", "Saved"),
        [_saved(data, one) for one in data.savings.saved[:most]],
        csv=csv,
        note=" ".join(f"{words}: {ASSUMPTION[means]}" for means, words in MEANS.items()),
        empty="Nothing that these calls tell of.",
    )


def _saved(data: Data, one: Saving) -> list[Cell]:
    return [
        Cell(task_name(one.task), href=data.links.events(one.task, one.model, one.means)),
        Cell(MEANS[one.means], one.means),
        Cell(one.model.key),
        Cell(one.instead or "–", one.instead),
        counted(one.calls),
        usd_cell(one.saved_nanousd, tone="loss" if one.saved_nanousd < 0 else ""),
    ]


def advice_table(data: Data, csv: str = "", *, most: int | None = None) -> Table:
    return Table(
        "What would have saved more",
        ("Task", "Do this", "Calls", "They cost", "Alone", "In the total", "Assuming that"),
        [_advice(data, one) for one in data.savings.advice[:most]],
        csv=csv,
        note="In the total, each is taken of what the ones before leave: answers from your own cache, then cheaper "
        "tiers, prompt caching, batches.",
        empty="Nothing that these calls suggest.",
    )


def _advice(data: Data, one: Advice) -> list[Cell]:
    move = one.move
    return [
        Cell(task_name(move.task), href=data.links.events(move.task, move.model)),
        Cell(_what_to_do(one), move.means, note=f"on {move.model.key}" if move.model else "", wraps=True),
        counted(one.calls),
        usd_cell(one.cost_nanousd),
        usd_cell(one.alone_nanousd),
        usd_cell(one.together_nanousd),
        Cell(move.assumption, wraps=True),
    ]


def _what_to_do(one: Advice) -> str:
    move = one.move
    match move.means:
        case Means.TIER:
            return f"{percent_of(move.share)} to {move.to.key if move.to else ''}"
        case Means.CACHING:
            return f"cache {percent_of(move.share)} of input" if move.share else "stop caching"
        case Means.MEMOISED:
            return f"answer {percent_of(move.share)} from your own cache"
        case Means.BATCH:
            return "run in batches"


def caches_table(data: Data, csv: str = "", *, most: int | None = None) -> Table:
    return Table(
        "When prompt caching pays",
        (
            "Prompt family",
            "Model",
            "Calls",
            "A write",
            "A read",
            "Break-even",
            "Reads per write",
            "Read share",
            "Saved",
        ),
        [_cache(data, one) for one in data.savings.caches[:most]],
        csv=csv,
        note="Break-even: how many tokens must be read back for each one written, at these calls’ own prices.",
    )


def _cache(data: Data, one: CacheUse) -> list[Cell]:
    premium, discount = percent_of(one.write_premium), percent_of(one.read_discount)
    return [
        Cell(task_name(one.task), href=data.links.events(one.task, one.model)),
        Cell(one.model.key),
        counted(one.calls),
        Cell(f"+{premium}" if one.write_premium > 0 else "as input", _exact(one.write_premium)),
        Cell(f"−{discount}" if one.read_discount > 0 else "as input", _exact(one.read_discount)),
        Cell("never" if one.break_even is None else times(one.break_even), _exact(one.break_even)),
        Cell(times(one.reads_per_write) if one.is_used else "unused", _exact(one.reads_per_write)),
        Cell(percent_of(one.read_share), _exact(one.read_share)),
        usd_cell(round(one.saved), tone="loss" if one.loses else ""),
    ]


def tasks_table(data: Data, csv: str = "") -> Table:
    return Table(
        "Which tiers answer what",
        ("Task", "Calls", "By tier", "Below the dearest", "In batches", "From own cache", "Small → large", "May fail"),
        [_task(data, one) for one in data.savings.tasks],
        csv=csv,
        note="May fail: the share of the small model’s answers that may be asked again of the large one before it "
        "stops paying, at the tokens of the calls that went to the large one.",
    )


def _task(data: Data, one: TaskTiers) -> list[Cell]:
    pair = f"{one.small.key} → {one.large.key}" if one.small and one.large else "one tier"
    called = sum(one.by_tier.values())
    tiers = [f"{tier or 'no tier'} {share(calls, called)}" for tier, calls in one.by_tier.items()]
    return [
        Cell(task_name(one.task), href=data.links.events(one.task)),
        counted(one.calls),
        Cell(", ".join(tiers), wraps=True),
        Cell(percent_of(one.cheaper_share), _exact(one.cheaper_share)),
        Cell(share(one.batched, one.calls), ratio(one.batched, one.calls) or ""),
        Cell(share(one.memoised, one.calls), ratio(one.memoised, one.calls) or ""),
        Cell(pair, wraps=True),
        Cell(percent_of(one.break_even), _exact(one.break_even)),
    ]


def hosting_table(data: Data, csv: str = "") -> Table:
    server = data.server
    return Table(
        "Build or buy",
        ("Model", "Tokens a month", "Cost a month", "per million", "Server pays from", "Verdict"),
        [_hosting(one) for one in data.savings.hosting],
        csv=csv,
        note=f"Assuming a server at ${count(server.usd_per_month)} a month that serves "
        f"{count(server.tokens_per_second)} tokens a second and is busy {server.busy_percent} % of the time: "
        f"{usd(server.nanousd_per_million)} per million tokens. Its answers are assumed to be as good.",
    )


def _hosting(one: Threshold) -> list[Cell]:
    least = one.break_even_tokens
    reached = Cell("–") if least is None else Cell(f"{count(least)} tokens", str(least))
    return [
        Cell(one.model.key),
        counted(one.tokens_per_month),
        usd_cell(one.nanousd_per_month),
        usd_cell(int(one.nanousd_per_million)),
        reached,
        Cell(VERDICTS[one.verdict], one.verdict),
    ]


def _exact(fraction: Fraction | None) -> str:
    return "" if fraction is None else ratio(fraction.numerator, fraction.denominator) or ""
