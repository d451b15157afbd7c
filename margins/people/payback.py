"""Whether an AI feature earns what it costs. Pure.

A feature's cost is measured; its benefit is somebody's assumption, kept with where it comes from
(`margins.models.FeatureBenefit`). Both are per user and calendar month.
"""

from fractions import Fraction
from typing import NamedTuple

from margins.units import ratio


class Payback(NamedTuple):
    """Femto-units of one currency per user and month. `months` is until a one-off investment is back; None: never."""

    cost: int
    benefit: int
    users: int
    investment: int = 0

    @property
    def net(self) -> int:
        """What one user brings in a month beyond what it costs."""
        return self.benefit - self.cost

    @property
    def pays(self) -> bool:
        return self.net > 0

    @property
    def benefit_per_cost(self) -> str | None:
        """Benefit ÷ cost to six places: 1.388889 for $25 on $18; None for a feature that costs nothing."""
        return ratio(self.benefit, self.cost)

    @property
    def months(self) -> str | None:
        """Months until the investment is back at the present number of users, to six places; None: never."""
        monthly = self.net * self.users
        return ratio(self.investment, monthly) if monthly > 0 else None


def per_user_month(cost: int, *, users: int, months: Fraction) -> int:
    """A period's cost per user and calendar month, rounded half to even; 0 without users."""
    return round(Fraction(cost, users) / months) if users and months else 0
