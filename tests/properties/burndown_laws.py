"""What must hold for every account the engine can be given, and a strategy that makes such accounts.

Everything happens on a grid of six hours in one month, so that starts, ends, recurrences, resets
and events meet at the same instants far more often than they would in life.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from typing import Any

import msgspec
from hypothesis import strategies as st

from entitlements.burndown import Event, Grant, Result, Snapshot, run
from kernel.recurrence import Recurrence
from tests.properties.plodding_engine import INTERVALS, TICK, Plodder

START = datetime(2026, 1, 1, tzinfo=UTC)
TICKS = 4 * 31


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Inputs of a run, and instants inside it at which a law may cut it."""

    grants: tuple[Grant, ...]
    start: Snapshot
    events: tuple[Event, ...]
    resets: tuple[datetime, ...]
    until: datetime
    preserve_overage: bool
    cuts: tuple[datetime, ...]

    def run(self, start: Snapshot | None = None, *, until: datetime | None = None) -> Result:
        """Run from `start` (the account's own) to `until` (its end), with the resets between."""
        start, until = start or self.start, until or self.until
        return run(
            self.grants,
            start,
            self.events,
            until=until,
            resets=[reset for reset in self.resets if start.at < reset <= until],
            preserve_overage_at_reset=self.preserve_overage,
        )

    def with_(self, **changes: Any) -> "Account":
        return msgspec.structs.replace(self, **changes)


def tick(number: int) -> datetime:
    return START + number * TICK


amounts = st.integers(0, 100_000_000)
instants = st.integers(-8, TICKS + 8).map(tick)


@st.composite
def grants(draw: st.DrawFn, number: int) -> Grant:
    starts = draw(st.integers(-8, TICKS + 8))
    length = st.integers(1, 60)
    recurrence = draw(st.none() | st.builds(Recurrence, st.sampled_from(sorted(INTERVALS)), instants))
    return Grant(
        id=f"g{number}",
        amount=draw(amounts),
        priority=draw(st.integers(0, 3)),
        created_at=tick(draw(st.integers(-12, -9))),
        effective_at=tick(starts),
        expires_at=draw(st.none() | length.map(lambda ticks: tick(starts + ticks))),
        voided_at=draw(st.none() | st.none() | instants),
        recurrence=recurrence,
        rollover_min=draw(st.just(0) | amounts),
        rollover_max=draw(st.none() | amounts),
    )


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    """Up to six grants of any shape, up to thirty events, up to three resets, over up to a month."""
    its_grants = tuple(draw(grants(number)) for number in range(draw(st.integers(0, 6))))
    until = draw(st.integers(1, TICKS))
    inside = st.integers(1, until).map(tick)
    # Between ticks as well: usage comes when it comes.
    event = st.builds(
        Event, st.integers(-8 * 360, (until + 2) * 360).map(lambda m: START + timedelta(minutes=m)), amounts
    )
    return Account(
        grants=its_grants,
        start=Snapshot(
            at=START,
            balances={g.id: draw(st.integers(0, g.amount)) for g in its_grants if g.effective_at <= START},
            overage=draw(st.just(0) | amounts),
        ),
        events=tuple(draw(st.lists(event, max_size=30))),
        resets=tuple(draw(st.lists(inside, max_size=3, unique=True))),
        until=tick(until),
        preserve_overage=draw(st.booleans()),
        cuts=tuple(sorted(draw(st.lists(inside, max_size=3, unique=True)))),
    )


def ends_as(one: Result, other: Result) -> bool:
    """Whether two runs end in the same state, however many segments they took to get there."""
    return msgspec.structs.replace(one, segments=()) == msgspec.structs.replace(other, segments=())


# The six of the shared cases, PROP1 to PROP6 in this order.


def two_runs_equal_one(account: Account) -> None:
    for cut in account.cuts:
        first = account.run(until=cut)
        assert ends_as(account.run(first.snapshot), account.run()), f"cut at {cut}"


def the_same_inputs_give_the_same_result(account: Account) -> None:
    result = account.run()
    assert account.run() == result
    backwards = account.with_(grants=account.grants[::-1], events=account.events[::-1], resets=account.resets[::-1])
    assert backwards.run() == result, "the order of the inputs matters"


def a_chain_of_runs_equals_one(account: Account) -> None:
    """Only balances and overage are carried from link to link."""
    links = len(account.cuts) + 1
    length = (account.until - account.start.at) / links
    snapshot = account.start
    for link in range(1, links):
        snapshot = account.run(snapshot, until=account.start.at + link * length).snapshot
        snapshot = Snapshot(at=snapshot.at, balances=snapshot.balances, overage=snapshot.overage)
    result, whole = account.run(snapshot), account.run()
    assert (result.balances, result.overage) == (whole.balances, whole.overage)


def what_was_used_was_burned_or_is_overage(account: Account) -> None:
    """In a usage period that no overage was carried into."""
    fresh = account.with_(preserve_overage=False, start=msgspec.structs.replace(account.start, overage=0))
    result = fresh.run()
    assert result.balance + result.usage - result.overage == result.total_grant_usage + result.balance


def late_events_leave_every_answer_consistent(account: Account) -> None:
    """Whatever arrives before or after an answer is given, the answer adds up to what was granted."""
    lasting = tuple(
        msgspec.structs.replace(grant, effective_at=START, expires_at=None, voided_at=None, recurrence=None)
        for grant in account.grants
    )
    steady = account.with_(grants=lasting, start=Snapshot.opening(lasting, START), resets=(), events=())
    granted = sum(grant.amount for grant in lasting)
    for number in range(len(account.events) + 1):
        answer = steady.with_(events=account.events[:number]).run()
        assert answer.usage + answer.balance - answer.overage == granted


def snapshots_never_change_an_answer(account: Account) -> None:
    """Whichever snapshots exist, and whichever snapshots they were made from."""
    whole = account.run()
    for kept in _subsets(account.cuts):
        snapshot = account.start
        for at in kept:
            snapshot = account.run(snapshot, until=at).snapshot
        assert ends_as(account.run(snapshot), whole), f"with snapshots at {kept}"


def _subsets(cuts: tuple[datetime, ...]) -> Iterable[tuple[datetime, ...]]:
    for size in range(len(cuts) + 1):
        yield from combinations(cuts, size)


# And ours.


def nothing_is_lost_or_made_up(account: Account) -> None:
    """Segments follow one another without a gap, and each accounts for every microcredit."""
    result = account.run()
    for segment in result.segments:
        burned = sum(usage.amount for usage in segment.grant_usages)
        assert burned + segment.overage == segment.overage_at_start + segment.usage
        if segment.kind == "usage" and segment.overage:
            assert not any(segment.balance_at_end.values()), "overage although there were credits"
    for segment, following in pairwise(result.segments):
        assert segment.end == following.start
        kept = account.preserve_overage or not segment.ends_with_reset
        assert following.overage_at_start == (segment.overage if kept else 0)
    assert result.segments[0].start == account.start.at
    assert result.segments[-1].end == account.until
    assert result.segments[-1].balance_at_end == result.balances
    used = sum(event.amount for event in account.events if START <= event.at < account.until)
    assert sum(segment.usage for segment in result.segments) == used


def no_balance_is_negative_or_above_its_grant(account: Account) -> None:
    most = {grant.id: max(grant.amount, grant.rollover_min) for grant in account.grants}
    for segment in account.run().segments:
        for balances in (segment.balance_at_start, segment.balance_at_end):
            assert all(0 <= balance <= most[grant] for grant, balance in balances.items())


def it_agrees_with_the_plodding_engine(account: Account) -> None:
    result, plodder = account.run(), Plodder(account.grants, account.start)
    plodder.plod(
        account.events,
        ticks=[START + number * TICK for number in range((account.until - START) // TICK + 1)],
        resets=account.resets,
        preserve_overage=account.preserve_overage,
    )
    assert result.overage == plodder.overage
    assert result.balances == {grant: plodder.balances[grant] for grant in result.balances}
