"""What insights are called on pages."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Final

from margins.checklist.answers import Status
from margins.pages.words import money, percent
from margins.people.benchmarks import FeatureType, Standing
from margins.savings.hosting import Verdict
from margins.savings.saved import Means
from margins.savings.spend import Task
from margins.units import FEMTO_PER_NANO, ratio

EFFECTS: Final[Mapping[str, tuple[str, str]]] = {
    "volume": ("Volume", "all calls grew, or fell, like the calls in all"),
    "mix": ("Mix", "calls moved between features and models"),
    "size": ("Size", "calls took more or fewer tokens, or dearer kinds of them"),
    "price": ("Price", "the same work cost more or less: suppliers’ prices, batches, memoised answers"),
}

MEANS: Final[Mapping[Means, str]] = {
    Means.MEMOISED: "Answers from your own cache",
    Means.TIER: "Cheaper tier",
    Means.CACHING: "Prompt caching",
    Means.BATCH: "Batch",
}

STANDINGS: Final[Mapping[Standing, tuple[str, str]]] = {
    Standing.LOSS: ("loses money", "loss"),
    Standing.BELOW_AI_NATIVE: ("below AI-native", "caution"),
    Standing.AI_NATIVE: ("AI-native", ""),
    Standing.CLASSIC: ("classic SaaS", ""),
    Standing.ABOVE_CLASSIC: ("above classic SaaS", ""),
}

TYPES: Final[Mapping[FeatureType, str]] = {
    FeatureType.AI: "AI (at least 52 %)",
    FeatureType.CLASSIC: "classic (at least 75 %)",
}

STATUSES: Final[Mapping[Status, tuple[str, str]]] = {
    Status.YES: ("✓ yes", ""),
    Status.PARTLY: ("◐ partly", "caution"),
    Status.NO: ("✗ no", "loss"),
    Status.UNKNOWN: ("– not yet known", "muted"),
}

VERDICTS: Final[Mapping[Verdict, str]] = {
    Verdict.BUILD: "build: a server is cheaper",
    Verdict.BUY: "buy",
    Verdict.NEVER: "buy: cheaper than a busy server",
}


def usd(nanousd: int | Fraction) -> str:
    """Nano-USD as people read them."""
    return money(int(nanousd * FEMTO_PER_NANO), "USD")


def share(part: int, whole: int) -> str:
    return percent(ratio(part, whole))


def percent_of(fraction: Fraction | None) -> str:
    return percent(None if fraction is None else ratio(fraction.numerator, fraction.denominator))


def times(fraction: Fraction | None) -> str:
    """ "0.28 ×"; a dash for none."""
    return "–" if fraction is None else f"{Decimal(fraction.numerator) / fraction.denominator:.2f} ×"


def task_name(task: Task) -> str:
    """ "chat · answer"."""
    return " · ".join(part for part in task if part) or "(no feature)"
