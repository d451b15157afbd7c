"""Where a customer stands: the balance, what burned lately, and how long it lasts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from entitlements.core.account import Account, GrantState
from entitlements.core.timeline import ALLOWANCES
from entitlements.models import Customer
from entitlements.queries.limits import Standing, standings_of
from entitlements.services.accounts import read_account
from plans.catalogue import Catalogue
from plans.terms import SHARED_SCOPES, PlanTerms
from portal.charts import Reading
from portal.outlook import LATELY, Lot, Outlook, burn_per_day, outlook
from portal.queries.movements import LENGTHS, Movement, movements, step_for, used_since

USUAL: Final = timedelta(days=30)
"""What is shown of a customer without billing periods."""

FAR: Final = timedelta(days=366)
"""How far runway is looked for."""

SOON: Final = timedelta(days=7)
"""What expires within this is worth a word."""


@dataclass(frozen=True, slots=True)
class Position:
    """A customer's account at one instant, with its lately. Amounts are microcredits."""

    customer: Customer
    account: Account
    catalogue: Catalogue
    plan: PlanTerms | None
    now: datetime
    starts_at: datetime
    """Of the billing period, or of the usual stretch."""
    ends_at: datetime
    steps: list[Movement]
    """Since the start, oldest first."""
    step: timedelta
    per_day: Fraction
    """What burns in a day, by the last seven."""

    @property
    def total(self) -> int:
        """What there is less what is owed: where the burn-down line ends."""
        return self.account.posted - self.account.debt - self.account.overage

    @property
    def used(self) -> int:
        """Used since the start."""
        return sum(movement.used for movement in self.steps)

    @property
    def readings(self) -> list[Reading]:
        """What was left at each turn since the start, by going back from what there is now.

        What was renewed or expired in the first step belongs to the start: the line begins with what there was to burn.
        """
        left = self.total - sum(movement.net for movement in self.steps)
        renewed = 0
        if self.steps and self.steps[0].starts_at <= self.starts_at:
            renewed = self.steps[0].net + self.steps[0].used
        found = [Reading(self.starts_at, left + renewed)]
        for movement in self.steps:
            found.append(Reading(max(movement.starts_at, self.starts_at), left + renewed))
            renewed = 0
            left += movement.net
            found.append(Reading(min(max(movement.starts_at + self.step, self.starts_at), self.now), left))
        return [*found, Reading(self.now, left)]

    def outlook(self, until: datetime) -> Outlook:
        """What will be left if burning goes on as it did lately."""
        lots = [Lot(grant.remaining, grant.expires_at) for grant in self.account.grants if grant.burnable]
        owed = self.account.held + self.account.debt
        return outlook(lots, owed, self.per_day, now=self.now, until=until)

    @property
    def runs_out_at(self) -> datetime | None:
        """When available reaches zero at the current burn; None: not within a year, or nothing burns."""
        return self.outlook(self.now + FAR).runs_out_at if self.per_day else None

    @property
    def expiring(self) -> list[GrantState]:
        """Credits that soon expire and are not renewed, in burn order."""
        return [
            grant
            for grant in self.account.grants
            if grant.burnable
            and grant.source not in ALLOWANCES
            and grant.expires_at is not None
            and grant.expires_at < self.now + SOON
        ]

    @property
    def may_run_over(self) -> bool:
        """Whether calls go on as overage when the credits are used up."""
        rights = self.plan.entitlements.values() if self.plan else ()
        return self.account.debt == 0 and any(right.at_limit == "overage" for right in rights)

    def standings(self) -> list[Standing]:
        """The limits that are this customer's own matter, and no supplier's cost: that is ours."""
        found = standings_of(self.account, self.catalogue, self.now)
        return [each for each in found if each.limit.scope not in SHARED_SCOPES and each.limit.unit != "cost"]


def position_of(customer: Customer, now: datetime) -> Position:
    """Where the customer stands at `now`."""
    account, reference = read_account(customer.key, now)
    starts_at = account.period_start or now - USUAL
    ends_at = account.period_end or now + USUAL / 3
    lately = max(now - LATELY, min(customer.created_at, now))
    step = step_for(starts_at, now)
    return Position(
        customer=customer,
        account=account,
        catalogue=reference.catalogue,
        plan=reference.catalogue.plans.get(account.plan_version_id or 0),
        now=now,
        starts_at=starts_at,
        ends_at=ends_at,
        steps=movements(customer, starts_at, step),
        step=LENGTHS[step],
        per_day=burn_per_day(used_since(customer, lately), lately, now),
    )
