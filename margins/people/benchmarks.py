"""Gross margins of software businesses to hold ours against. Pure.

AI-native companies expected to keep 52 % on average in 2026 (ICONIQ, State of AI: Bi-Annual Snapshot, January
2026, as reported by infermargin.com/research/ai-native-gross-margins, read 2026-11-23); 75 to 85 % is what
classic software is used to. They are orientation, not a target.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Final

AI_NATIVE: Final = Decimal("0.52")
CLASSIC_LOW: Final = Decimal("0.75")
CLASSIC_HIGH: Final = Decimal("0.85")


class FeatureType(StrEnum):
    """What a feature is compared with."""

    AI = "ai"
    """Its use costs inference."""
    CLASSIC = "classic"
    """It costs no inference."""


class Standing(StrEnum):
    """Where a margin lies among the benchmarks."""

    LOSS = "loss"
    BELOW_AI_NATIVE = "below_ai_native"
    AI_NATIVE = "ai_native"
    """At least 52 %, short of 75 %."""
    CLASSIC = "classic"
    """75 to 85 %."""
    ABOVE_CLASSIC = "above_classic"


def standing(margin_ratio: str | None) -> Standing | None:
    """Where a margin (a ratio of revenue) lies; None without one."""
    if margin_ratio is None:
        return None
    ratio = Decimal(margin_ratio)
    if ratio < 0:
        return Standing.LOSS
    if ratio < AI_NATIVE:
        return Standing.BELOW_AI_NATIVE
    if ratio < CLASSIC_LOW:
        return Standing.AI_NATIVE
    return Standing.CLASSIC if ratio <= CLASSIC_HIGH else Standing.ABOVE_CLASSIC


def gap_points(margin_ratio: str | None, feature_type: FeatureType) -> str | None:
    """Percentage points above (negative: below) the least margin of the feature's type; None without a margin."""
    if margin_ratio is None:
        return None
    least = AI_NATIVE if feature_type is FeatureType.AI else CLASSIC_LOW
    return f"{((Decimal(margin_ratio) - least) * 100).quantize(Decimal('0.1')):f}"
