"""Everything that can happen to one customer, in any order: the core on one side, the plain model on the other."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from entitlements.core.account import Account
from entitlements.core.check import HoldWanted, Question
from entitlements.core.record import UsageFact
from entitlements.core.runs import Budget
from entitlements.core.settle import LeaseWanted
from entitlements.core.timeline import bring_up_to_date, end_subscription, look_ahead, start_subscription
from entitlements.gate.calls import Batch
from entitlements.store.accounts import Wanted
from kernel.ids import body_digest, key_digest
from kernel.usage import Usage
from tests.accounts import Costs, fact, give
from tests.properties import account_truths
from tests.properties.account_shop import PLANS, SHOP
from tests.properties.account_steps import (
    ACME,
    Ask,
    CloseRun,
    Extend,
    Lease,
    OpenRun,
    Settle,
    Step,
    Use,
    Void,
    outcome_of,
    plain_outcome_of,
)
from tests.properties.plain_model import Grant, Hold, PlainAccount
from tests.properties.shelf import Shelf
from tests.shop import CREDIT

START = datetime(2027, 3, 9, 22, 30, tzinfo=UTC)
"""Days before New York's clocks change."""
ZONE = "America/New_York"
TICK = timedelta(microseconds=1)
DAY = 86_400

plans = st.integers(0, len(PLANS) - 1)
amounts = st.sampled_from([0, 1, CREDIT // 3, CREDIT, 3 * CREDIT, 10 * CREDIT, 25 * CREDIT]) | st.integers(
    0, 30 * CREDIT
)
some = amounts.filter(bool)
spans = st.sampled_from([1, 59, 60, 600, 3600, 6 * 3600, DAY, 8 * DAY, 33 * DAY])
ttls = st.none() | spans.filter(lambda seconds: seconds <= DAY)
"""None: until the next thing is due, to the second."""
tokens = st.builds(
    Usage,
    input_tokens=st.sampled_from([0, 1, 700, 2500]) | st.integers(0, 20_000),
    output_tokens=st.sampled_from([0, 1, 300]) | st.integers(0, 5_000),
)
keys = st.integers(0, 9)
users = st.sampled_from(["", "ann", "ann", "bob"])
models = st.sampled_from(["", "", "gpt-4o-mini", "gpt-4o-mini", "gpt-4o", "claude-opus-4-6", "mystery-9"])
features = st.sampled_from(["chat", "chat", "chat", "chat", "search", "export"])
runs = st.none() | st.integers(0, 12)
"""None: in no run; else the number of one that is there, or of none."""
which = st.integers(0, 1000)
items = st.fixed_dictionaries(
    {
        "key": st.integers(0, 40).map("event-{}".format),
        "feature": features,
        "model": models,
        "user_key": users,
        "run": runs,
        "used": amounts | tokens,
        "late": st.sampled_from([0, 0, 0, 30, 7200, 2 * DAY, 40 * DAY]),
    }
)


class Accounts(RuleBasedStateMachine):
    """One customer."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.shelf = self.new_shelf()
        self.plain = PlainAccount(ACME, ZONE, START)
        self.reference: Any = SimpleNamespace(catalogue=SHOP, costs=Costs(gpt_4o_mini=100, gpt_4o=1000), revision=1)
        self.subscriptions = self.grants = 0
        self.said: list[Step] = []

    def new_shelf(self) -> Any:
        return Shelf(customer_id=ACME, key="acme", time_zone=ZONE)

    # Both sides at once.

    def opened(self, wanted: Wanted) -> Account:
        account: Account = self.shelf.load(wanted, self.now)
        if not account.kept:
            bring_up_to_date(account, SHOP, self.now)
        return account

    def say(self, *steps: Step) -> None:
        """Make calls in one batch, as the gate does, and compare every answer."""
        calls = [(step, step.call(self.now)) for step in steps]
        wanted = Wanted()
        for _, call in calls:
            call.wants(wanted)
        account = self.opened(wanted)
        batch = Batch({ACME: account}, self.reference, self.now, self.plain.used_by_all)
        for step, call in calls:
            got, expected = outcome_of(step, call, batch), plain_outcome_of(step, self.plain)
            assert got == expected, f"{step}\n the core says   {got}\n the model says {expected}"
        self.shelf.save(account, batch.events, batch.records())
        self.said += steps

    def change(self, really: Callable[[Account], Any], plainly: Callable[[], Any]) -> None:
        """Do to the account what a service does, in a process of its own."""
        self.shelf.changed_elsewhere()
        account = self.opened(_just_open())
        really(account)
        plainly()
        self.shelf.save(account)
        self.shelf.changed_elsewhere()

    # Plans and grants.

    @initialize(plan=plans, credits=amounts, in_a_run=st.booleans())
    def begins(self, plan: int, credits: int, in_a_run: bool) -> None:
        self.subscribes(plan, None, 0)
        if credits:
            self.is_granted(credits, 100, 0, None)
        if in_a_run:
            self.opens_a_run(0, None, None, None, None, None, None)

    @rule(plan=plans, days=st.none() | st.integers(0, 40), used=st.just(0) | amounts)
    def subscribes(self, plan: int, days: int | None, used: int) -> None:
        terms, former = PLANS[plan], self.plain.anchor
        anchor = self.now - timedelta(days=days) if days is not None else former or self.now
        if self.plain.plan is terms and anchor == former:
            return
        self.subscriptions += 1
        number = self.subscriptions
        parts: dict[str, Any] = {"subscription_id": number, "anchor": anchor, "used": used}
        self.change(
            lambda account: start_subscription(account, terms, now=self.now, **parts),
            lambda: self.plain.subscribe(terms, number, anchor, used),
        )

    @precondition(lambda self: self.plain.plan)
    @rule(really=st.integers(0, 3))
    def unsubscribes(self, really: int) -> None:
        if really:
            return
        self.change(lambda account: end_subscription(account, now=self.now), self.plain.unsubscribe)

    @rule(
        credits=some,
        priority=st.sampled_from([20, 50, 100]),
        starts=st.sampled_from([0, 0, 0, -DAY, 60, DAY, 10 * DAY]),
        lasts=st.none() | spans,
    )
    def is_granted(self, credits: int, priority: int, starts: int, lasts: int | None) -> None:
        self.grants += 1
        key = f"grant-{self.grants}"
        start = self.now + timedelta(seconds=starts)
        end = None if lasts is None else max(start, self.now) + timedelta(seconds=lasts)
        parts = {"amount": credits, "remaining": credits, "effective_at": start, "expires_at": end}
        new = Grant(key_digest(f"grant:{ACME}:{key}"), "top_up", priority, credits, start, end, self.now)
        self.change(
            lambda account: give(account, 0, now=self.now, key=key, priority=priority, **parts),
            lambda: self.plain.add(new),
        )

    @precondition(lambda self: any(grant.left for grant in self.plain.grants))
    @rule(number=which)
    def has_a_grant_voided(self, number: int) -> None:
        grant = _pick([grant for grant in self.plain.grants if grant.left], number)

        def really(account: Account) -> None:
            account.void(next(state for state in account.grants if state.id == grant.id), now=self.now)
            look_ahead(account, self.now)

        self.change(really, lambda: self.plain.void_grant(grant))

    # Calls.

    @rule(feature=features, model=models, user=users, run=runs, estimate=st.none() | amounts | tokens)
    def asks(self, feature: str, model: str, user: str, run: int | None, estimate: Any) -> None:
        self.say(Ask(self._question(feature, model, user, run, estimate)))

    @rule(
        feature=features,
        model=models,
        user=users,
        run=runs,
        estimate=st.none() | amounts | tokens,
        key=keys,
        ttl=ttls,
        twice=st.booleans(),
    )
    def holds(
        self,
        feature: str,
        model: str,
        user: str,
        run: int | None,
        estimate: Any,
        key: int,
        ttl: int | None,
        twice: bool,
    ) -> None:
        question = self._question(feature, model, user, run, estimate)
        name = f"hold-{key}"
        wanted = HoldWanted(name, key_digest(name), body_digest([repr(question), ttl]), self._seconds(ttl))
        ask = Ask(msgspec.structs.replace(question, hold=wanted))
        self.say(*[ask, ask] if twice else [ask])

    @precondition(lambda self: self.plain.holds)
    @rule(number=which, key=st.none() | keys, model=models, used=amounts | tokens, final=st.booleans())
    def settles(self, number: int, key: int | None, model: str, used: Any, final: bool) -> None:
        hold = self._hold(number)
        name = f"hold:{hold.id}" if key is None else f"part-{key}"
        self.say(Settle(hold.id, _fact(name, self.now, used, feature="", model=model), final and not hold.is_lease))

    @precondition(lambda self: self.plain.holds)
    @rule(number=which)
    def voids(self, number: int) -> None:
        self.say(Void(self._hold(number).id))

    @rule(key=keys, credits=st.none() | some, ttl=ttls)
    def leases(self, key: int, credits: int | None, ttl: int | None) -> None:
        """So much, or all there is."""
        name, seconds = f"lease-{key}", self._seconds(ttl)
        microcredits = credits or max(1, self.plain.available)
        body = body_digest([microcredits, ttl])
        self.say(Lease(LeaseWanted(name, key_digest(name), body, "chat", microcredits, seconds)))

    @precondition(lambda self: self.plain.holds)
    @rule(number=which, credits=amounts, seconds=st.none() | spans)
    def extends(self, number: int, credits: int, seconds: int | None) -> None:
        self.say(Extend(self._hold(number).id, credits, seconds))
        self.said.pop()  # It has no key: said again, it would be done again.

    @rule(
        key=keys,
        parent=runs,
        steps=st.none() | st.integers(0, 2),
        credits=st.none() | amounts,
        cost=st.none() | st.integers(0, 5_000_000),
        depth=st.none() | st.integers(0, 2),
        seconds=st.none() | spans,
    )
    def opens_a_run(
        self,
        key: int,
        parent: int | None,
        steps: int | None,
        credits: int | None,
        cost: int | None,
        depth: int | None,
        seconds: int | None,
    ) -> None:
        deadline = None if seconds is None else self.now + timedelta(seconds=seconds)
        inside = self._run(parent)
        body = body_digest([inside, steps, credits, cost, depth, seconds])
        self.say(OpenRun(f"run-{key}", body, Budget(steps, credits, cost, depth, deadline), inside))

    @precondition(lambda self: self.plain.runs)
    @rule(number=which)
    def closes_a_run(self, number: int) -> None:
        self.say(CloseRun(_pick(self.plain.runs, number).key))

    @rule(these=st.lists(items, min_size=1, max_size=3))
    def uses(self, these: list[dict[str, Any]]) -> None:
        facts = []
        for item in these:
            at = self.now - timedelta(seconds=item["late"])
            who = {name: item[name] for name in ("feature", "model", "user_key")}
            facts.append(_fact(item["key"], at, item["used"], run_key=self._run(item["run"]), **who))
        self.say(Use(tuple(facts)))

    @precondition(lambda self: self.said)
    @rule(number=which, other=which)
    def retries(self, number: int, other: int) -> None:
        self.say(_pick(self.said, number), _pick(self.said, other))

    @rule(credits=amounts)
    def others_use(self, credits: int) -> None:
        self.plain.used_by_all = {
            limit.id: credits for plan in PLANS for limit in plan.limits if limit.scope == "everyone"
        }

    # Time.

    @rule(seconds=spans, stops=st.lists(st.floats(0, 1), max_size=3), somebody_looks=st.booleans())
    def time_passes(self, seconds: int, stops: list[float], somebody_looks: bool) -> None:
        self._go_to(self.now + timedelta(seconds=seconds), stops, somebody_looks)

    @precondition(lambda self: self.plain.next_instant())
    @rule(ticks=st.sampled_from([-1, 0, 0, 1]), somebody_looks=st.booleans())
    def time_comes_to_where_something_is_due(self, ticks: int, somebody_looks: bool) -> None:
        due = self.plain.next_instant()
        assert due is not None
        self._go_to(max(self.now, due + ticks * TICK), [], somebody_looks)

    def _go_to(self, to: datetime, stops: list[float], somebody_looks: bool) -> None:
        late, often = self.shelf.everything(), self.shelf.everything()
        for stop in sorted(stops):
            bring_up_to_date(often, SHOP, self.now + stop * (to - self.now))
        for account in (late, often):
            bring_up_to_date(account, SHOP, to)
        account_truths.late_is_as_good_as_often(late, often)
        self.now = to
        self.plain.pass_time(to)
        if somebody_looks:
            self.shelf.save(self.opened(_just_open()))

    def _hold(self, number: int) -> Hold:
        """Any hold: mostly an open one."""
        hold: Hold = _pick((number % 4 and self.plain.open_holds()) or self.plain.holds, number)
        return hold

    def _run(self, number: int | None) -> str:
        """The key of a run: mostly of one that is there."""
        if number is None or not self.plain.runs:
            return ""
        return "nobody's" if number == 12 else _pick(self.plain.runs, number).key

    def _question(self, feature: str, model: str, user: str, run: int | None, estimate: Any) -> Question:
        return Question(feature=feature, model=model, user_key=user, run_key=self._run(run), estimate=estimate)

    def _seconds(self, ttl: int | None) -> int:
        due = self.plain.next_instant()
        if ttl is not None or due is None:
            return ttl or 60
        return max(1, min(DAY, round((due - self.now).total_seconds())))

    # What must hold after each of these.

    @invariant()
    def the_core_and_the_model_agree(self) -> None:
        account = self.shelf.everything()
        account_truths.nothing_is_due_before_it_is_looked_for(account.valid_until, self.plain)
        bring_up_to_date(account, SHOP, self.now)
        account_truths.it_is_what_the_model_says(account, self.plain)
        account_truths.its_counters_are_what_the_model_counts(account, self.plain)
        account_truths.its_parts_are_covered(account)
        account_truths.its_ledger_explains_it(account, [*self.shelf.ledger, *account.ledger], self.plain)
        messages = self.shelf.messages.values()
        told = [(message["limit"], message["scope_key"], message["threshold_percent"]) for message in messages]
        assert sorted(told) == sorted(self.plain.told)


def _just_open() -> Wanted:
    """What a service asks for: the account, and nothing by name."""
    wanted = Wanted()
    wanted["acme"]
    return wanted


def _pick(these: list[Any], number: int) -> Any:
    return these[number % len(these)]


def _fact(key: str, at: datetime, used: int | Usage, **parts: Any) -> UsageFact:
    """What was used, in credits or in tokens of a model."""
    parts |= {"stated_microcredits": used, "usage": Usage()} if isinstance(used, int) else {"usage": used}
    return fact(key, at=at, body_digest=body_digest([key, repr(sorted(parts.items()))]), provider="", **parts)
