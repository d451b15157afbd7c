"""What a billing period is projected to leave, by what it has cost and earned so far. Pure.

The plan's price is earned whatever happens; everything that comes with use (its cost, and what credits and overage
earn) is drawn out at the rate of the period so far, and no further than the credits last. Integers are femto-units of
one currency where they say so, nano-units else.
"""

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final, NamedTuple

from margins.units import FEMTO_PER_NANO

LEAST: Final = timedelta(days=1)
"""A burst in the first minutes is not a month's rate: until a day has passed, what was used counts as a day's use."""


class SoFar(NamedTuple):
    """A period until now. `credits_left` are the microcredits that may still be used, None where overage follows them.

    `promised_nano` is what the subscription earns of the whole period; `use_*` come with use and grow with it;
    `other_cost_femto` grows with time since `other_since`; `other_revenue_femto` (breakage, refunds) stays as it is.
    """

    start: datetime
    end: datetime
    promised_nano: int
    use_cost_femto: int
    use_revenue_femto: int
    other_cost_femto: int
    other_since: datetime
    other_revenue_femto: int
    charged_microcredits: int
    credits_left: int | None


class Projection(NamedTuple):
    """A whole period, projected. Nano-units, rounded half to even."""

    revenue_nano: int
    cost_nano: int

    @property
    def ratio_micro(self) -> int | None:
        """Margin ÷ revenue in millionths, half to even; None without revenue."""
        if self.revenue_nano <= 0:
            return None
        return round(Fraction((self.revenue_nano - self.cost_nano) * 1_000_000, self.revenue_nano))


def project(so_far: SoFar, now: datetime) -> Projection:
    """The period's revenue and cost if it goes on like this."""
    growth = 1 + _more(so_far, now)
    drawn_out = _drawn_out(so_far, now)
    revenue = so_far.use_revenue_femto * growth + so_far.other_revenue_femto
    cost = so_far.use_cost_femto * growth + so_far.other_cost_femto * drawn_out
    return Projection(so_far.promised_nano + round(revenue / FEMTO_PER_NANO), round(cost / FEMTO_PER_NANO))


def _more(so_far: SoFar, now: datetime) -> Fraction:
    """How much more will be used, as a share of what was."""
    left = max(so_far.end - now, timedelta())
    passed = max(now - so_far.start, min(LEAST, so_far.end - so_far.start))
    more = _share(left, passed)
    if so_far.credits_left is not None and so_far.charged_microcredits > 0:
        more = min(more, Fraction(max(so_far.credits_left, 0), so_far.charged_microcredits))
    return more


def _drawn_out(so_far: SoFar, now: datetime) -> Fraction:
    """What costs over time have come to, as a multiple to the end of the period."""
    passed = now - so_far.other_since
    return _share(so_far.end - so_far.start, passed) if passed > timedelta() else Fraction(1)


def _share(part: timedelta, whole: timedelta) -> Fraction:
    microsecond = timedelta(microseconds=1)
    return Fraction(part // microsecond, whole // microsecond)
