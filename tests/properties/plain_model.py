"""What an account must be, said again in the plainest way: lists, loops, and every sum added up anew.

It shares no code with the core, only its inputs (plan terms, questions, facts). Nothing is kept that can
be counted: posted is what is left of the grants, held is what the open holds hold. Time passes at once, not
when somebody looks.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from kernel.ids import key_digest
from plans.terms import PlanTerms

STEP = {
    "day": relativedelta(days=1),
    "week": relativedelta(weeks=1),
    "month": relativedelta(months=1),
    "year": relativedelta(years=1),
}


class Refused(Exception):
    """A call that is refused with this code, and leaves no trace."""


@dataclass
class Grant:
    id: UUID
    source: str
    priority: int
    left: int
    starts: datetime
    ends: datetime | None
    created: datetime
    subscription: int | None = None
    started: bool = False
    over: bool = False
    """Expired or voided; what is still left of it is only there for the holds that claim it."""


@dataclass
class Run:
    id: UUID
    key: str
    body: UUID
    around: "list[Run]"
    """From the one right around it outwards."""
    steps_most: int | None
    credits_most: int | None
    cost_most: int | None
    depth_most: int | None
    deadline: datetime | None
    open: bool = True
    steps: int = 0
    charged: int = 0
    cost: int = 0

    @property
    def levels(self) -> "list[Run]":
        return [self, *self.around]


@dataclass
class Hold:
    id: UUID
    key: str
    body: UUID
    held: int
    steps: int
    feature: str
    model: str
    user: str
    run: Run | None
    deadline: datetime
    is_lease: bool
    claims: list[tuple[str, str, int]]
    first_answer: object = None
    status: str = "open"
    settled: int = 0


@dataclass
class Counter:
    window: object
    used: int = 0
    warned: int = 0


@dataclass
class PlainAccount:
    customer: int
    time_zone: str
    now: datetime
    grants: list[Grant] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    counters: dict[tuple[str, str], Counter] = field(default_factory=dict)
    events: dict[UUID, tuple[UUID, int | None, int | None]] = field(default_factory=dict)
    """By key: body, credits, cost."""
    told: list[tuple[str, str, int]] = field(default_factory=list)
    used_by_all: dict[int, int] = field(default_factory=dict)
    """What limits that many customers share have used, by their ids."""
    debt: int = 0
    overage: int = 0
    plan: PlanTerms | None = None
    subscription: int | None = None
    anchor: datetime | None = None
    period: tuple[datetime, datetime] | None = None
    next_allowance: datetime | None = None

    # What there is.

    def burning(self) -> list[Grant]:
        """The grants with something left, in burn order. Expiries within a second are the same."""
        there = [grant for grant in self.grants if grant.started and grant.left]
        return sorted(there, key=lambda g: (g.priority, g.ends is None, _second(g.ends), g.created, g.id))

    def open_holds(self) -> list[Hold]:
        return [hold for hold in self.holds if hold.status == "open"]

    @property
    def posted(self) -> int:
        return sum(grant.left for grant in self.grants if grant.started)

    @property
    def held(self) -> int:
        return sum(hold.held for hold in self.open_holds())

    @property
    def free(self) -> int:
        return self.posted - self.held

    @property
    def available(self) -> int:
        return self.free - self.debt

    def balance(self) -> tuple[int, int, int, int, int]:
        return self.posted, self.held, self.debt, self.overage, self.available

    # Time.

    def pass_time(self, to: datetime) -> None:
        """Everything that is due by `to` happens, one instant after the other."""
        while (due := self.next_instant()) is not None and due <= to:
            self.now = due
            self._happen(due)
        self.now = to

    def next_instant(self) -> datetime | None:
        """When something next happens by itself."""
        instants = [hold.deadline for hold in self.open_holds()]
        instants += [grant.starts for grant in self.grants if not grant.started]
        instants += [g.ends for g in self.grants if g.started and g.left and g.ends]
        instants += [self.period[1]] if self.period else []
        instants += [self.next_allowance] if self.next_allowance else []
        return min((instant for instant in instants if instant > self.now), default=None)

    def _happen(self, at: datetime) -> None:
        for hold in self.open_holds():
            if hold.deadline == at:
                self.end_hold(hold, "expired")
        unused = 0
        for grant in self.burning():
            if grant.ends == at:
                unclaimed = min(grant.left, self.free)
                grant.left -= unclaimed
                grant.over = True
                if grant.source in ("allowance", "rollover") and grant.subscription == self.subscription:
                    unused += unclaimed
        if self.plan and self.period and self.period[1] == at:
            self.overage = 0  # It is owed in money from here on.
            self.period = self._period(self.plan.interval, at)
        if self.plan and self.next_allowance == at:
            self._give_allowance(at, rollover=min(unused, self.plan.rollover_max_microcredits))
        for grant in self.grants:
            if not grant.started and grant.starts == at:
                grant.started = True
        self._pay()  # Once all of them are there, so that debt burns them in burn order.

    def _period(self, length: str, at: datetime) -> tuple[datetime, datetime]:
        anchor = self.anchor
        assert anchor is not None
        number = 0
        while anchor + number * STEP[length] > at:
            number -= 1
        while anchor + (number + 1) * STEP[length] <= at:
            number += 1
        return anchor + number * STEP[length], anchor + (number + 1) * STEP[length]

    # Credits in.

    def add(self, grant: Grant) -> None:
        self.grants.append(grant)
        if grant.starts <= self.now:
            self._start(grant)

    def _start(self, grant: Grant) -> None:
        grant.started = True
        self._pay()

    def void_grant(self, grant: Grant) -> None:
        if not grant.started:
            self.grants.remove(grant)
            return
        grant.left -= min(grant.left, self.free)
        grant.over = True

    def subscribe(self, plan: PlanTerms, number: int, anchor: datetime, used: int) -> None:
        """`used` of an allowance in this period counts against the new one."""
        self.unsubscribe()
        self.plan, self.subscription, self.anchor = plan, number, anchor
        self.period = self._period(plan.interval, self.now)
        self._give_allowance(self.now, rollover=0, used=used)

    def unsubscribe(self) -> None:
        if self.plan is None:
            return
        for grant in self.burning():
            if grant.source in ("allowance", "rollover"):
                self.void_grant(grant)
        self.overage = 0
        self.plan = self.subscription = self.anchor = self.period = self.next_allowance = None

    def _give_allowance(self, at: datetime, *, rollover: int, used: int = 0) -> None:
        plan = self.plan
        assert plan is not None
        self.next_allowance = None
        if plan.included_microcredits and plan.allowance_renewal != "never":
            self.next_allowance = self._period(plan.allowance_renewal, at)[1]
        for source, credits in (("rollover", rollover), ("allowance", plan.included_microcredits - used)):
            if credits > 0:
                name = f"grant:{self.customer}:{source}:{self.subscription}:{at.isoformat()}"
                priority, ends = plan.allowance_priority, self.next_allowance
                self.add(Grant(key_digest(name), source, priority, credits, at, ends, at, self.subscription))

    # Credits out.

    def _burn(self, amount: int) -> None:
        for grant in self.burning():
            piece = min(amount, grant.left)
            grant.left -= piece
            amount -= piece
        assert amount == 0

    def _pay(self) -> None:
        """What became free pays debt, then this period's overage."""
        debt = min(self.free, self.debt)
        self._burn(debt)
        self.debt -= debt
        overage = min(self.free, self.overage)
        self._burn(overage)
        self.overage -= overage

    def charge(self, amount: int, overage_room: int | None) -> None:
        """Take from what is free, then as overage as far as there is room (None: no end), the rest as debt."""
        paid = min(self.free, amount)
        self._burn(paid)
        over = amount - paid if overage_room is None else min(amount - paid, overage_room)
        self.overage += over
        self.debt += amount - paid - over

    # Holds and runs.

    def end_hold(self, hold: Hold, status: str) -> None:
        hold.status, hold.held, hold.claims, hold.steps = status, 0, [], 0
        self._pay()
        for grant in self.burning():
            if grant.over:
                grant.left -= min(grant.left, self.free)

    def void_hold(self, hold: Hold) -> None:
        if hold.status == "settled":
            raise Refused("hold_settled")
        if hold.status == "open":
            self.end_hold(hold, "settled" if hold.settled else "voided")

    def hold(self, hold_id: UUID) -> Hold:
        return next(hold for hold in self.holds if hold.id == hold_id)

    def run(self, key: str) -> Run:
        for run in self.runs:
            if run.key == key:
                return run
        raise Refused("run_unknown")

    def open_run(self, run: Run, parent: str) -> Run:
        """`run` comes without what is around it. The same key again is the run that is there."""
        for known in self.runs:
            if known.key == run.key:
                if known.body != run.body:
                    raise Refused("key_reused")
                return known
        run.around = self.run(parent).levels if parent else []
        for distance, outer in enumerate(run.around, start=1):
            if not outer.open:
                raise Refused("run_closed")
            if outer.depth_most is not None and distance > outer.depth_most:
                raise Refused("run_too_deep")
        self.runs.append(run)
        return run

    def close_run(self, run: Run) -> None:
        inside = [each for each in self.runs if each.open and run in each.levels]
        for hold in self.open_holds():
            if hold.run in inside:
                self.void_hold(hold)
        for each in inside:
            each.open = False

    def held_in(self, run: Run) -> tuple[int, int]:
        """Credits and steps that open holds claim in a run and everything inside it."""
        holds = [hold for hold in self.open_holds() if hold.run and run in hold.run.levels]
        return sum(hold.held for hold in holds), sum(hold.steps for hold in holds)

    # Windows of limits.

    def window(self, kind: str, at: datetime) -> object:
        """The window `at` lies in, as something to compare. Days are the customer's own."""
        if kind == "minute":
            return at.replace(second=0, microsecond=0)
        if kind == "hour":
            return at.replace(minute=0, second=0, microsecond=0)
        if kind == "day":
            return at.astimezone(ZoneInfo(self.time_zone)).date()
        if kind == "period" and self.period:
            return self.period[0] if at >= self.period[0] else "an earlier one"
        return "the only one"

    def held_by_counter(self, scope: str, limit: str) -> int:
        claims = [claim for hold in self.open_holds() for claim in hold.claims]
        return sum(amount for its_scope, its_limit, amount in claims if (its_scope, its_limit) == (scope, limit))


def _second(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant - timedelta(microseconds=instant.microsecond)
