"""The demo company's past: who joined when, and every call they made. Pure, and the same for the same seed."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

import msgspec

from demo.agents import AgentRun, nesting, runs_of
from demo.cast import Member, members
from demo.distributions import Rhythm, draw, pick
from demo.reported import Reported
from demo.work import HABITS, Model, Work
from entitlements.core.record import UsageFact
from kernel.ids import body_digest, key_digest
from kernel.usage import Usage

_SCALE_DAYS = 30
"""The days a member's story is told in."""

_LATE_SHARE = 0.004
_CACHED_OF_A_HIT = 0.79
"""How much of a prompt is read from the cache when its beginning is found there."""
_USER_DEPTH = 1.1
"""How steeply a customer's users differ in how much they use: the n-th by 1 ÷ n to this power."""


class Life(msgspec.Struct, frozen=True):
    """A member with its dates: there over [joined_at, left_at), on its plan's billing days since `anchor`."""

    member: Member
    anchor: datetime
    joined_at: datetime
    moves_at: datetime | None
    left_at: datetime | None


class Company(msgspec.Struct, frozen=True):
    """A past over [start, until): the customers' lives, their calls as they are received and the runs these are in."""

    start: datetime
    until: datetime
    lives: tuple[Life, ...]
    calls: tuple[Reported, ...]
    runs: tuple[AgentRun, ...]


def company(until: datetime, *, customers: int, days: int, events: int, seed: int) -> Company:
    """Invent `events` calls of `customers` customers over the `days` days before `until`."""
    start = until - timedelta(days=days)
    lives = [_life(member, start, days) for member in members(customers)]
    rhythms = {
        offset: Rhythm(start, 24 * days, utc_offset=offset) for offset in {life.member.utc_offset for life in lives}
    }
    weights = [
        life.member.calls * rhythms[life.member.utc_offset].share(life.joined_at, life.left_at or until)
        for life in lives
    ]
    calls: list[Reported] = []
    for life, count in zip(lives, _shares(events, weights), strict=True):
        rhythm = rhythms[life.member.utc_offset]
        calls += _Customer(life, rhythm, until, _random(seed, life), _random(seed, life, "agents")).calls(count)
    calls.sort(key=lambda call: (call.received_at, call.customer, call.fact.key))
    return Company(start, until, tuple(lives), tuple(calls), tuple(runs_of(calls)))


def _random(seed: int, life: Life, *of: str) -> Random:
    """A generator of its own for each customer, so that a customer more or less leaves the others as they are."""
    return Random(":".join((str(seed), life.member.key, *of)))  # noqa: S311 - invented data, not secrets


class _Step(NamedTuple):
    """A call before its size is known."""

    at: datetime
    work: Work
    model: Model
    user: str
    run: str


class _Customer:
    """One customer's calls: first when and what, then in their order how large."""

    def __init__(self, life: Life, rhythm: Rhythm, until: datetime, random: Random, agents: Random) -> None:
        self._life, self._rhythm, self._random, self._agents = life, rhythm, random, agents
        self._end = min(life.left_at or until, until)
        self._key = life.member.key

    def calls(self, count: int) -> Iterator[Reported]:
        """Exactly `count` calls, single ones and runs of agents, numbered as they happened."""
        steps: list[_Step] = []
        while len(steps) < count:
            steps += self._run(number=len(steps), most=count - len(steps))
        for number, step in enumerate(sorted(steps, key=lambda step: step.at), start=1):
            yield self._call(number, step)

    def _run(self, *, number: int, most: int) -> Iterator[_Step]:
        random, member = self._random, self._life.member
        habit = HABITS[member.habit]
        _, work, models = habit[pick(random, [weight for weight, _, _ in habit])]
        model = models[pick(random, [1 / place for place in range(1, len(models) + 1)])]
        user = pick(random, [1 / place**_USER_DEPTH for place in range(1, member.users + 1)]) + 1
        at = self._rhythm.draw(random, self._life.joined_at, self._end)
        inside: Iterable[str] = [""]
        if work.steps > 1:
            # Most runs are short and a few very long: a log-normal around the typical length.
            steps = min(most, max(1, round(random.lognormvariate(0, 0.8) * work.steps)))
            inside = nesting(f"{self._key}-run-{number}", steps, self._agents)
        for run in inside:
            yield _Step(at, work, model, f"user-{user}", run)
            at = min(at + timedelta(seconds=random.randint(3, 45)), self._end - timedelta(seconds=1))

    def _call(self, number: int, step: _Step) -> Reported:
        random, work = self._random, step.work
        usage = _usage(work, random)
        provider, model = step.model
        processing = "batch" if random.random() < work.batch else ""
        key = f"{self._key}-{number}"
        memoised = random.random() < work.memoised
        said = [key, step.at.isoformat(), model, step.user, processing, memoised, msgspec.structs.astuple(usage)]
        fact = UsageFact(
            key=key,
            key_digest=key_digest(key),
            body_digest=body_digest(said),
            feature=work.feature,
            action=work.action,
            user_key=step.user,
            run_key=step.run,
            tags=None,
            provider=provider,
            model=model,
            processing=processing,
            region="",
            memoised=memoised,
            usage=usage,
            stated_microcredits=None,
            reported_cost_nanousd=None,
            occurred_at=step.at,
        )
        return Reported(self._received(step.at, processing), self._key, fact)

    def _received(self, at: datetime, processing: str) -> datetime:
        if processing == "batch":
            delay = timedelta(minutes=self._random.randint(20, 600))
        elif self._random.random() < _LATE_SHARE:
            delay = timedelta(hours=self._random.randint(20, 70))
        else:
            delay = timedelta(seconds=self._random.randint(1, 40))
        return min(at + delay, self._end - timedelta(microseconds=1))


def _usage(work: Work, random: Random) -> Usage:
    total, answer = draw(work.input, random), draw(work.output, random)
    if work.draws:
        return Usage(input_tokens=total, output_tokens=answer, output_image_tokens=answer)
    # A call finds its prompt's beginning in the cache or it does not: shares are bimodal, not smeared.
    hit = random.random() < work.cached / _CACHED_OF_A_HIT
    cached = round(total * random.triangular(0.6, 0.98, _CACHED_OF_A_HIT)) if hit else 0
    thought = round(answer * work.thought * random.lognormvariate(0, 0.5)) if work.thought else 0
    return Usage(
        input_tokens=total + work.image_input,
        input_image_tokens=work.image_input,
        cache_read_tokens=cached,
        output_tokens=answer + thought,
        reasoning_tokens=thought,
    )


def _life(member: Member, start: datetime, days: int) -> Life:
    def day(number: int) -> datetime:
        return start + timedelta(days=number) * days / _SCALE_DAYS

    return Life(
        member=member,
        # Billing days are real days whatever the scale: a month is a month.
        anchor=start + timedelta(days=member.joined) if member.joined <= 0 else day(member.joined),
        joined_at=max(start, day(member.joined)),
        moves_at=None if member.moves is None else day(member.moves[0]),
        left_at=None if member.leaves is None else day(member.leaves),
    )


def _shares(total: int, weights: Sequence[float]) -> list[int]:
    """Whole numbers in proportion to the weights that sum to the total: the largest remainders are rounded up."""
    whole = sum(weights)
    exact = [total * weight / whole for weight in weights]
    shares = [int(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda index: exact[index] - shares[index], reverse=True)
    for index in by_remainder[: total - sum(shares)]:
        shares[index] += 1
    return shares
