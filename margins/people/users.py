"""Heavy users and customers: who holds the cost, and whether what they bring covers it. From the daily rollup."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from entitlements.models import Customer
from kernel.sql_files import sql_file
from margins.margin import SUPPLIER_CURRENCY, Margin
from margins.people.asking import rows
from margins.people.heavy import Concentration, concentration, curve, rank_from_top, share_of_user
from margins.period import Period
from margins.queries.margins import MarginRow
from margins.recognition import RevenueKind
from margins.units import FEMTO_PER_NANO

BY_HEAD = (RevenueKind.SUBSCRIPTION, RevenueKind.BREAKAGE, RevenueKind.REVERSAL)
"""Revenue that is the same whatever a user does: divided by head."""

REVENUE_ASSUMPTION = (
    "A user's revenue is its part of its customer's: plan price, breakage and what went back divided by the users who "
    "were active, bought credits and overage by the credits each charged. Cost is inference alone."
)


class Person(NamedTuple):
    """A user of a customer, "" for usage that named none. Revenue is None in a currency cost is not in."""

    customer: str
    user: str
    calls: int
    unpriced_calls: int
    cost_nanousd: int
    revenue_femto: int | None

    @property
    def covered(self) -> bool | None:
        """Whether its revenue is at least its cost; None where they cannot be compared."""
        return None if self.revenue_femto is None else self.revenue_femto >= self.cost_nanousd * FEMTO_PER_NANO


class People(NamedTuple):
    """Users, heaviest first, and how cost is spread over them and over customers."""

    users: list[Person]
    of_users: Concentration
    of_customers: Concentration

    @property
    def p95(self) -> Person | None:
        """The user at the 95th percentile of cost, nearest rank; of equal ones the first by name."""
        return self.users[rank_from_top(len(self.users), 95)] if self.users else None

    @property
    def uncovered(self) -> list[Person]:
        """Those who cost more than they bring, heaviest first."""
        return [user for user in self.users if user.covered is False]

    @property
    def unpriced_calls(self) -> int:
        """Calls missing from every cost here."""
        return sum(user.unpriced_calls for user in self.users)

    def curve(self) -> list[tuple[int, int]]:
        """(users, cost in nano-USD) cumulated from the heaviest on."""
        return curve([user.cost_nanousd for user in self.users])


def people(period: Period, by_customer: Sequence[MarginRow]) -> People:
    """Everybody who used anything on these days. `by_customer` are the margins of the same days."""
    used = _used(period)
    keys = dict(Customer.objects.filter(id__in={row[0] for row in used}).values_list("id", "key"))
    margins = {str(row.key[0]): row.margin for row in by_customer}
    heads: Counter[int] = Counter(row[0] for row in used)
    charged_of_all: Counter[int] = Counter()
    costs: Counter[int] = Counter()
    for customer_id, _, _, _, charged, cost in used:
        charged_of_all[customer_id] += charged
        costs[customer_id] += cost
    users = [
        Person(
            keys[customer_id],
            user,
            calls,
            unpriced,
            cost,
            _revenue(
                margins.get(keys[customer_id]),
                users=heads[customer_id],
                charged=charged,
                charged_of_all=charged_of_all[customer_id],
            ),
        )
        for customer_id, user, calls, unpriced, charged, cost in used
    ]
    users.sort(key=lambda user: (-user.cost_nanousd, user.customer, user.user))
    spread = concentration([user.cost_nanousd for user in users])
    return People(users, spread, concentration(list(costs.values())))


def _revenue(margin: Margin | None, *, users: int, charged: int, charged_of_all: int) -> int | None:
    if margin is None:
        return 0
    if margin.currency != SUPPLIER_CURRENCY:
        return None
    per_head = sum(margin.own.revenue.get(kind, 0) for kind in BY_HEAD)
    return share_of_user(
        per_head=per_head,
        by_use=margin.own.total_revenue - per_head,
        users=users,
        charged=charged,
        charged_of_all=charged_of_all,
    )


def _used(period: Period) -> list[tuple[int, str, int, int, int, int]]:
    found = rows(sql_file("margins", "people"), {"start": period.start, "end": period.end})
    return [(customer, user, *map(int, sums)) for customer, user, *sums in found]
