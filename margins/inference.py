"""Which supplier cost counts as the cost of inference. Both are kept with every event and in every rollup."""

from enum import StrEnum


class InferenceCost(StrEnum):
    """`completeness` is of the stamped cost: a call only its provider priced has no cost of ours, and counts none."""

    STAMPED = "stamped"
    """What the provider reported, else what we computed; re-ratings included."""
    COMPUTED = "computed"
    """What we computed, by cost cards and list prices."""
