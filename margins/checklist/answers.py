"""The questions and what answers them. Pure: what is known comes as values."""

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple


class Status(StrEnum):
    """How well a question is answered."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"
    UNKNOWN = "unknown"
    """There is nothing to answer it from yet."""


class Answer(NamedTuple):
    """A question with its answer, what it rests on, and where to look or to change it."""

    key: str
    question: str
    status: Status
    evidence: str
    link: str
    link_text: str


class Links(NamedTuple):
    """Where the evidence is."""

    unpriced: str
    usage: str
    plans: str
    cost_lines: str
    guards: str
    benefits: str
    people: str
    savings: str
    losses: str


class PlanFacts(NamedTuple):
    """A plan on sale, as far as the questions go. Features are keys; names are of limits."""

    key: str
    metered: tuple[str, ...]
    open_ended: tuple[str, ...]
    """Features that nothing stops: overage without a spend cap, and no hard limit."""
    agents_uncapped: tuple[str, ...]
    """Features that make runs, without a limit per run here."""
    limits: tuple[str, ...]
    silent_limits: tuple[str, ...]
    """Limits that do not warn before they are reached."""
    has_brake: bool
    """A limit by the minute, hour, day or run."""
    has_floor: bool
    """Whether a margin guard watches its customers."""


class Known(NamedTuple):
    """What is known of the days asked about."""

    calls: int
    unpriced_calls: int
    unrated_calls: int
    named_calls: int
    """Calls that name a user."""
    cost_lines: int
    """Other cost lines in force."""
    customers: int
    losing: int
    p95_covered: bool | None
    input_tokens: int
    cache_read_tokens: int
    features_without_benefit: tuple[str, ...]
    plans: tuple[PlanFacts, ...]


COMPLETE: Final = Fraction(99, 100)
HALF_BLIND: Final = Fraction(90, 100)
_NAMED_AT_MOST: Final = 4


def answers(known: Known, links: Links) -> list[Answer]:
    """Every question, in the order in which a margin is lost: not seen, not stopped, not noticed, not covered."""
    plans = known.plans
    metered = [plan for plan in plans if plan.metered]
    return [
        _share(
            "metering_complete",
            "Is the cost of every call known?",
            known.calls - known.unpriced_calls,
            known.calls,
            "calls are priced",
            (links.unpriced, "Unpriced calls"),
        ),
        _share(
            "charging_complete",
            "Does a rate charge for every call?",
            known.calls - known.unrated_calls,
            known.calls,
            "calls are rated",
            (links.usage, "Usage"),
        ),
        _share(
            "cost_per_user",
            "Is the cost per user known, not only per customer?",
            known.named_calls,
            known.calls,
            "calls name their user",
            (links.people, "Users by cost"),
        ),
        Answer(
            "other_costs",
            "Are costs besides inference counted?",
            Status.YES if known.cost_lines else Status.NO,
            f"{_count(known.cost_lines, 'cost line')} in force.",
            links.cost_lines,
            "Cost lines",
        ),
        _plans(
            "every_feature_stops",
            "Does every feature stop somewhere?",
            metered,
            [f"{plan.key} ({_some(plan.open_ended)})" for plan in metered if plan.open_ended],
            "sell features that neither credits, a spend cap nor a hard limit stop",
            links.plans,
        ),
        _plans(
            "run_caps",
            "Is every agent's run capped?",
            metered,
            [f"{plan.key} ({_some(plan.agents_uncapped)})" for plan in metered if plan.agents_uncapped],
            "sell features that make runs without a limit per run",
            links.plans,
        ),
        _plans(
            "brakes",
            "Would a loop be stopped within the day?",
            metered,
            [plan.key for plan in metered if not plan.has_brake],
            "have no limit by the minute, hour, day or run",
            links.plans,
        ),
        _plans(
            "alerts",
            "Is somebody warned before a limit is reached?",
            [plan for plan in plans if plan.limits],
            [f"{plan.key} ({_some(plan.silent_limits)})" for plan in plans if plan.silent_limits],
            "have limits that do not warn",
            links.plans,
        ),
        _plans(
            "margin_guard",
            "Does a margin guard act before a customer loses money?",
            metered,
            [plan.key for plan in metered if not plan.has_floor],
            "have no floor under a customer's margin",
            links.guards,
        )._replace(link_text="Margin guards"),
        Answer(
            "losing_customers",
            "Does every customer bring more than it costs?",
            Status.UNKNOWN if not known.customers else Status.NO if known.losing else Status.YES,
            f"{known.losing:,} of {_count(known.customers, 'customer')} cost more than they bring.",
            links.losses,
            "Losses first",
        ),
        Answer(
            "heavy_users",
            "Do heavy users bring what they cost?",
            {None: Status.UNKNOWN, True: Status.YES, False: Status.NO}[known.p95_covered],
            {
                None: "Nobody has used anything, or revenue is in another currency than cost.",
                True: "The user at the 95th percentile of cost is covered by what it brings.",
                False: "The user at the 95th percentile of cost is not covered by what it brings.",
            }[known.p95_covered],
            links.people,
            "Heavy users",
        ),
        Answer(
            "prompt_caching",
            "Are repeated prompts read from a cache?",
            Status.UNKNOWN
            if not known.input_tokens
            else Status.YES
            if known.cache_read_tokens * 10 >= known.input_tokens
            else Status.PARTLY
            if known.cache_read_tokens
            else Status.NO,
            f"{_percent(known.cache_read_tokens, known.input_tokens)} of input tokens were read from a prompt cache.",
            links.savings,
            "Savings",
        ),
        Answer(
            "payback",
            "Is it known what each AI feature earns?",
            Status.NO if known.features_without_benefit else Status.YES,
            f"Nobody has stated a benefit for {_some(known.features_without_benefit)}."
            if known.features_without_benefit
            else "Every metered feature has a stated benefit.",
            links.benefits,
            "Benefits",
        ),
    ]


def _share(key: str, question: str, part: int, whole: int, what: str, link: tuple[str, str]) -> Answer:
    if not whole:
        return Answer(key, question, Status.UNKNOWN, "No calls in these days.", *link)
    share = Fraction(part, whole)
    status = Status.YES if share >= COMPLETE else Status.PARTLY if share >= HALF_BLIND else Status.NO
    return Answer(key, question, status, f"{part:,} of {whole:,} {what} ({_percent(part, whole)}).", *link)


def _plans(key: str, question: str, asked: Sequence[PlanFacts], failing: Sequence[str], what: str, link: str) -> Answer:
    if not asked:
        return Answer(key, question, Status.UNKNOWN, "No plan on sale to ask.", link, "Plans")
    status = Status.YES if not failing else Status.NO if len(failing) == len(asked) else Status.PARTLY
    evidence = f"{len(failing)} of {_count(len(asked), 'plan')} on sale {what}"
    return Answer(
        key, question, status, f"{evidence}: {'; '.join(failing)}." if failing else f"{evidence}.", link, "Plans"
    )


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED_AT_MOST])
    return shown if len(names) <= _NAMED_AT_MOST else f"{shown} and {len(names) - _NAMED_AT_MOST} more"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _percent(part: int, whole: int) -> str:
    """Rounded down to a tenth: what is nearly all is not all."""
    return f"{part * 1000 // whole / 10:.1f} %" if whole else "0.0 %"
