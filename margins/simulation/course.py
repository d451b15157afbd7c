"""What happens to an account under a scenario whether or not a call is made. Pure.

The account is the gate's own (entitlements/core), so allowances, renewals, rollover and expiry are too; what
the scenario changes is only which plan a subscription is to.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from entitlements.burndown import burn_key
from entitlements.core.account import Account, GrantState
from entitlements.core.timeline import ALLOWANCES, bring_up_to_date, end_subscription, look_ahead, start_subscription
from entitlements.core.words import Bucket, EntryKind
from kernel.recurrence import period_at
from margins.recognition import SubscriptionTerms
from margins.simulation.outcome import Epoch, recognise
from margins.simulation.rules import Rules
from margins.simulation.start import Lot, Start, Subscribed, Taken
from margins.units import nano_of
from plans.terms import PlanTerms

NEVER: Final = datetime.max.replace(tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)

_Fact = tuple[datetime, int, Callable[[datetime], None]]


class Course:
    """A customer's account from `since` up to `until`; `changed` is called when the plan or an own right has."""

    def __init__(
        self, rules: Rules, start: Start, *, since: datetime, until: datetime, changed: Callable[[], None]
    ) -> None:
        self.rules, self.start = rules, start
        self.since, self.until = since, until
        self._changed = changed
        self._epochs: list[Epoch] = []
        self._facts = self._happenings()
        self._began = False
        self.account = _empty(start, since)
        self._open()

    @property
    def plan(self) -> PlanTerms | None:
        """The plan in force, in the scenario."""
        return self.rules.catalogue.plans.get(self.account.plan_version_id or 0)

    def advance(self, to: datetime) -> datetime:
        """Let everything due by `to` happen, in order. Returns when the next thing is due."""
        account = self.account
        while True:
            fact = self._facts[-1][0] if self._facts else NEVER
            due = min(fact, account.valid_until or NEVER) if self._began else self.since
            if due > to:
                return due
            self._began = True
            bring_up_to_date(account, self.rules.catalogue, due)
            while self._facts and self._facts[-1][0] <= due:
                self._facts.pop()[2](due)

    def finish(self) -> dict[str, int]:
        """Go on to the end; returns the revenue by kind, in nano-units of the customer's currency."""
        self.advance(self.until - _TICK)
        stays = [
            (
                SubscriptionTerms(
                    nano_of(Decimal(plan.price)), plan.interval, one.anchor, one.started_at, one.ended_at
                ),
                plan.currency,
            )
            for one in self.start.subscriptions
            if (plan := self._plan_of(one)) is not None
        ]
        ledger, epochs = self.account.ledger, self._epochs
        return recognise(self.start, stays, ledger, epochs, since=self.since, until=self.until)

    def _plan_of(self, one: Subscribed) -> PlanTerms | None:
        return self.rules.plan_of(one.plan_version_id, self.start.currency)

    def _open(self) -> None:
        """The account as it stood, on the scenario's plan."""
        account, since = self.account, self.since
        current = next((one for one in self.start.subscriptions if one.started_at < since), None)
        plan = self._plan_of(current) if current else None
        replaced = current is not None and plan is not None and plan.id != current.plan_version_id
        for lot in self.start.lots:
            if not (replaced and lot.source in ALLOWANCES):
                self._hold(lot)
        account.grants.sort(key=burn_key)
        if current is not None and plan is not None and replaced:
            self._put_on(current, plan, since)
        elif current is not None and plan is not None:
            # As of the instant before, so that what is due right at the start still happens.
            account.subscription_id, account.plan_version_id, account.anchor = current.id, plan.id, current.anchor
            account.period_start, account.period_end = period_at(current.anchor, plan.interval, since - _TICK)
            if plan.allowance_renewal != "never" and plan.included_microcredits:
                account.allowance_end = period_at(current.anchor, plan.allowance_renewal, since - _TICK)[1]
        account.overage = self.start.overage
        account.valid_until = since
        self._own_rights(since)
        self._epochs.append(Epoch(0, self.plan))

    def _hold(self, lot: Lot) -> None:
        active = lot.effective_at < self.since
        ended = lot.expires_at is not None and lot.expires_at < self.since
        if active and (ended or lot.remaining <= 0):
            return
        self.account.grants.append(
            GrantState(
                customer_id=self.start.customer_id,
                id=lot.id,
                source=lot.source,
                priority=lot.priority,
                amount=lot.amount,
                remaining=lot.remaining,
                effective_at=lot.effective_at,
                expires_at=lot.expires_at,
                created_at=lot.created_at,
                activated_at=lot.effective_at if active else None,
                subscription_id=lot.subscription_id,
            )
        )
        if active:
            self.account.posted += lot.remaining

    def _happenings(self) -> list[_Fact]:
        """Subscriptions that start and end, credits taken, own rights that change: the last first, so they pop."""
        found: list[_Fact] = []
        for one in self.start.subscriptions:
            if one.ended_at is not None:
                found.append((one.ended_at, 0, self._leave))
            if one.started_at >= self.since:
                found.append((one.started_at, 1, self._subscribing(one)))
        found += ((taken.at, 2, self._taking(taken)) for taken in self.start.taken)
        for own in self.start.own:
            found += ((at, 3, self._own_rights) for at in (own.starts_at, own.ends_at) if at is not None)
        kept = [fact for fact in found if self.since <= fact[0] < self.until]
        return sorted(kept, key=lambda fact: (fact[0], fact[1]), reverse=True)

    def _subscribing(self, one: Subscribed) -> Callable[[datetime], None]:
        def subscribe(now: datetime) -> None:
            plan = self._plan_of(one)
            if plan is not None:
                self._put_on(one, plan, now)
            self._plan_changed()

        return subscribe

    def _put_on(self, one: Subscribed, plan: PlanTerms, now: datetime) -> None:
        used = self._used_of_allowance(one, now)
        start_subscription(self.account, plan, subscription_id=one.id, anchor=one.anchor, now=now, used=used)

    def _used_of_allowance(self, one: Subscribed, now: datetime) -> int:
        """What has been burned of allowances since the former plan's allowance period began: it counts against the new.

        As entitlements/services/subscriptions.py counts it: by the subscription before this one; at the start, by the
        real one that is replaced.
        """
        before = max(
            (other for other in self.start.subscriptions if other.started_at < now),
            key=lambda other: other.started_at,
            default=None,
        )
        if before is None:
            return 0
        version = before.plan_version_id if not self._began else (self._plan_of(before) or before).id
        terms = self.rules.catalogue.plans.get(version)
        renewal = terms.allowance_renewal if terms else "never"
        since = before.anchor if renewal == "never" else period_at(before.anchor, renewal, now)[0]
        burned: dict[UUID, int] = {}
        for lot in self.start.lots:
            if lot.source in ALLOWANCES and lot.effective_at >= since:
                burned[lot.id] = lot.burned
        for grant in self.account.grants:
            if grant.source in ALLOWANCES and grant.effective_at >= since:
                burned.setdefault(grant.id, 0)
        for row in self.account.ledger:
            if row.kind == EntryKind.BURN and row.grant_id in burned:
                burned[row.grant_id] -= row.amount_microcredits
        return sum(burned.values())

    def _leave(self, now: datetime) -> None:
        end_subscription(self.account, now=now)
        self._plan_changed()

    def _plan_changed(self) -> None:
        self._epochs.append(Epoch(len(self.account.ledger), self.plan))
        self._changed()

    def _taking(self, taken: Taken) -> Callable[[datetime], None]:
        """Take from a grant what was taken from it, as far as it is there; or give it back.

        As entitlements/core/reversal.py does it: what a refund takes and the grant has burned becomes debt, and when
        the money returns, debt is forgiven first. Staff void only what is left.
        """

        def take(now: datetime) -> None:
            account, kind = self.account, EntryKind(taken.kind)
            grant = next((one for one in account.grants if one.id == taken.grant_id), None)
            left = grant.remaining if grant is not None and grant.activated_at is not None else 0
            if taken.amount < 0:
                from_grant = max(taken.amount, -left)
                as_debt = taken.amount - from_grant if kind is EntryKind.REVERSAL else 0
            else:
                as_debt = min(taken.amount, account.debt) if taken.bucket == Bucket.DEBT else 0
                from_grant = taken.amount - as_debt if grant is not None else 0
            if from_grant and grant is not None:
                grant.remaining += from_grant
                grant.closed_at = None if grant.remaining else now
                account.enter(kind, Bucket.POSTED, from_grant, at=now, now=now, grant_id=grant.id)
            if as_debt:
                account.enter(kind, Bucket.DEBT, as_debt, at=now, now=now, grant_id=taken.grant_id)
            account.pay_off(at=now, now=now)
            look_ahead(account, now)

        return take

    def _own_rights(self, now: datetime) -> None:
        self.account.own_entitlements = {
            own.right.feature_id: own.right
            for own in self.start.own
            if own.starts_at <= now and (own.ends_at is None or now < own.ends_at)
        }
        self._changed()


def _empty(start: Start, since: datetime) -> Account:
    return Account(
        customer_id=start.customer_id,
        key=start.key,
        currency=start.currency,
        time_zone=start.time_zone,
        posted=0,
        held=0,
        debt=start.debt,
        overage=0,
        seq=0,
        valid_until=since,
        subscription_id=None,
        plan_version_id=None,
        anchor=None,
        period_start=None,
        period_end=None,
        allowance_end=None,
        spend_cap=start.spend_cap,
    )
