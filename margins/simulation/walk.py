"""One customer's calls, in their order in time, under a scenario. Pure.

Most calls change nothing but a sum, so they are summed, and burned together before anything else happens. What
is not simply paid goes through the gate's own functions. Where a hard limit binds, the customer is gone through
again, asking for every call.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from entitlements.core import limits
from entitlements.core.account import RunState
from entitlements.core.check import Answer, Question, check
from entitlements.core.limits import Draw, Use, tier_of
from entitlements.core.record import overage_room
from kernel.ids import key_digest
from kernel.units import NanoUsd
from kernel.usage import Usage
from margins.simulation.calls import COLUMNS, NULL, TAB, instant, kind_of, microseconds, rest_of, usage_of
from margins.simulation.course import Course
from margins.simulation.outcome import Outcome, Sums
from margins.simulation.rules import Kind, Rules
from margins.simulation.start import Start
from margins.simulation.watch import Track, counted, seed_counters, used_before
from metering.costing import Call, Costed

_NO_EVENT: Final = UUID(int=0)


def simulate_customer(
    rules: Rules, start: Start, calls: Sequence[bytes], *, kinds: dict[bytes, Kind], since: datetime, until: datetime
) -> Outcome:
    """A customer's period under the scenario. `calls` are lines of COPY (calls.py), in their order in time.

    `kinds` is what is known of kinds of calls, shared by the customers of one currency.
    """
    walk = _Walk(rules, start, kinds, since=since, until=until, asking=False)
    try:
        return walk.run(calls)
    except _Bound:
        return _Walk(rules, start, kinds, since=since, until=until, asking=True).run(calls)


class _Bound(Exception):
    """How the quick way ends: a hard limit would refuse a call, so every call must be asked for."""


class _Verdict(msgspec.Struct, frozen=True):
    """What can be said of a kind of call while the plan stays: whether plan and tier allow it, and what counts it."""

    allowed: bool
    at_limit: str
    tracks: tuple[Track, ...]


class _KnownCosts:
    """The cost of the call at hand as it was worked out; of other models, the catalogue's."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.name = ""
        self.nanousd: int | None = None

    def cost(self, usage: Usage, call: Call) -> Costed:
        if call.model == self.name:
            return Costed(None if self.nanousd is None else NanoUsd(self.nanousd), "")
        return self._rules.costs.cost(usage, call)


class _Walk:
    """One way through a customer's period; `asking`: the gate is asked for every call."""

    def __init__(
        self, rules: Rules, start: Start, kinds: dict[bytes, Kind], *, since: datetime, until: datetime, asking: bool
    ) -> None:
        self._rules, self._kinds, self._asking = rules, kinds, asking
        self._enforce = rules.scenario.limits == "enforce"
        self._costs = _KnownCosts(rules)
        self._verdicts: dict[Kind, _Verdict] = {}
        self._tracks: dict[str, Track] = {}
        self._in_force: list[Track] | None = None
        self._outcome = Outcome(customer_id=start.customer_id, key=start.key, currency=start.currency)
        self._course = Course(rules, start, since=since, until=until, changed=self._forget)
        self._account = self._course.account

    def run(self, calls: Sequence[bytes]) -> Outcome:
        """Go through the calls in their order in time. Raises _Bound unless it is asking."""
        course, account, rules, outcome = self._course, self._account, self._rules, self._outcome
        kinds, verdicts, asking, currency = self._kinds, self._verdicts, self._asking, account.currency
        real_credits = real_cost = real_unrated = real_unpriced = 0
        credits = costs = unrated = unpriced = 0
        at = due = microseconds(course.since)
        free = pending = 0
        for line in calls:
            _, kind_text, at_text, charged_text, cost_text, rest = line.split(TAB, COLUMNS)
            at = int(at_text)
            if at >= due:
                self._burn(pending, at)
                due = microseconds(course.advance(instant(at)))
                pending, free = 0, account.posted
            kind = kinds.get(kind_text)
            if kind is None:
                kind = kinds[kind_text] = rules.kind(kind_of(kind_text), currency)
            charged = None if charged_text == NULL else int(charged_text)
            cost = None if cost_text == NULL else int(cost_text)
            real_credits += charged or 0
            real_cost += cost or 0
            real_unrated += charged is None
            real_unpriced += cost is None
            if kind.needs_counts:
                charged, cost = rules.price(kind, usage_of(rest), at, charged, cost)
            verdict = verdicts.get(kind) or self._verdict(kind)
            if verdict.tracks:
                self._watch(verdict, rest, at, charged or 0, cost or 0)
            if (charged or 0) <= free and verdict.allowed and not asking:
                free -= charged or 0
                pending += charged or 0
            else:
                self._burn(pending, at)
                happened = self._slowly(instant(at), rest, kind, verdict, charged, cost)
                pending, free = 0, account.posted
                if happened is None:
                    continue
                charged, cost = happened
            credits += charged or 0
            costs += cost or 0
            unrated += charged is None
            unpriced += cost is None
            outcome.moved += kind.moved
        self._burn(pending, at)
        outcome.real = Sums(len(calls), real_credits, real_cost, real_unrated, real_unpriced)
        outcome.simulated = Sums(len(calls) - outcome.refused.calls, credits, costs, unrated, unpriced)
        outcome.revenue_nano = course.finish()
        outcome.debt = account.debt
        outcome.plan = course.plan.plan_key if course.plan else ""
        return outcome

    def _burn(self, pending: int, at: int) -> None:
        if pending:
            self._account.burn(pending, at=instant(at), now=instant(at))

    def _slowly(
        self, at: datetime, rest: bytes, kind: Kind, verdict: _Verdict, charged: int | None, cost: int | None
    ) -> tuple[int | None, int | None] | None:
        """Ask for the call where limits are enforced, then charge it. Its charge and cost; None: it was refused."""
        account, plan, model = self._account, self._course.plan, kind.model
        room = overage_room(account, plan, kind.feature_id)
        missing = (charged or 0) - max(0, account.available)
        runs_over = verdict.at_limit == "overage" and account.debt == 0 and missing <= room
        if missing > 0:
            self._outcome.hit("overage" if runs_over else "balance", at)
        if self._enforce and kind.feature is not None and (self._asking or not (verdict.allowed and runs_over)):
            answer = self._ask(at, rest, kind, charged or 0, cost)
            if answer.decision == "deny":
                self._refuse(answer, at, charged, cost)
                return None
            if answer.decision == "downgrade":
                if not self._asking and plan is not None and counted(plan.limits):
                    raise _Bound  # It counts elsewhere now: in limits of another tier.
                model = self._rules.catalogue.models[answer.model or ""]
                charged = answer.needed_microcredits
                cost = 0 if kind.memoised else self._rules.cost_on(model, usage_of(rest), at, kind).nanousd
                self._outcome.downgraded += 1
                self._said_no(answer, at)
        if charged:
            account.charge(charged, overage_room=room, at=at, now=at, event=_NO_EVENT)
        if self._asking and plan is not None:
            more = rest_of(rest)
            use = Use(
                kind.feature_id, tier_of(model), more.user_key, key_digest(more.run_key) if more.run_key else None
            )
            draw = Draw(1, charged or 0, cost or 0, more.input_tokens + more.output_tokens)
            limits.count(account, plan.limits, use, draw, at=at, now=at)
        return charged, cost

    def _ask(self, at: datetime, rest: bytes, kind: Kind, microcredits: int, cost: int | None) -> Answer:
        """The gate's own answer, for exactly what the call used."""
        more = rest_of(rest)
        run_key = more.run_key if self._asking else ""
        if run_key and key_digest(run_key) not in self._account.runs:
            self._account.runs[key_digest(run_key)] = self._run(run_key, at)
        self._costs.name, self._costs.nanousd = kind.name, cost
        question = Question(
            feature=kind.feature.key if kind.feature else "",
            model=kind.name,
            user_key=more.user_key,
            run_key=run_key,
            estimate=microcredits if kind.stated else more.usage,
        )
        return check(self._account, question, self._rules.catalogue, self._costs, at, {})

    def _run(self, key: str, at: datetime) -> RunState:
        """A run without a budget: budgets are the caller's own, limits on each run are the plan's."""
        digest = key_digest(key)
        return RunState(
            customer_id=self._account.customer_id,
            id=digest,
            key=key,
            key_digest=digest,
            body_digest=digest,
            ancestors=[],
            user_key="",
            opened_at=at,
        )

    def _refuse(self, answer: Answer, at: datetime, charged: int | None, cost: int | None) -> None:
        self._said_no(answer, at)
        self._outcome.refused.count(charged, cost)

    def _said_no(self, answer: Answer, at: datetime) -> None:
        limit = answer.limiting.limit if answer.limiting else answer.reason
        if limit != "balance":  # That the credits are missing was noted when they were found to be.
            self._outcome.hit(limit, at)

    def _watch(self, verdict: _Verdict, rest: bytes, micros: int, microcredits: int, cost: int) -> None:
        """Count the call in its limits. Raises _Bound where a hard one would refuse it and is to."""
        at, more = instant(micros), rest_of(rest)
        draws = (1, microcredits, cost, more.input_tokens + more.output_tokens)
        whose = ("", more.user_key, more.run_key)
        for track in verdict.tracks:
            who = whose[track.whose]
            if track.whose and not who:
                continue
            taken = draws[track.unit]
            if not track.per_call:
                if at >= track.end:
                    track.roll(self._account, at)
                taken += track.used.get(who, 0)
                track.used[who] = taken
            if taken > track.limit.value:
                if track.hard and self._enforce:
                    raise _Bound
                self._outcome.hit(track.limit.key, at)

    def _verdict(self, kind: Kind) -> _Verdict:
        plan = self._course.plan
        own = self._account.own_entitlements.get(kind.feature_id)
        planned = plan.entitlements.get(kind.feature_id) if plan else None
        right = own or planned
        entitled = own.allowed if own else planned is not None
        max_rank = right.max_rank if right else None
        fits = kind.model is None or max_rank is None or kind.model.tier_rank <= max_rank
        known = kind.model is not None or not kind.name or plan is None or plan.unpriced != "deny"
        found = self._verdicts[kind] = _Verdict(
            allowed=not self._enforce or kind.feature is None or (entitled and fits and known),
            at_limit=right.at_limit if right else "deny",
            # When every call is asked for and may be refused, the gate counts hard limits itself.
            tracks=tuple(
                track
                for track in self._tracks_in_force()
                if track.covers(kind.feature_id, tier_of(kind.model))
                and not (self._asking and self._enforce and track.hard)
            ),
        )
        return found

    def _tracks_in_force(self) -> list[Track]:
        """The limits of the plan in force. A limit of the same key goes on counting across a change of plan."""
        if self._in_force is None:
            plan, course = self._course.plan, self._course
            self._in_force = []
            for limit in counted(plan.limits if plan else ()):
                known = self._tracks.get(limit.key)
                track = Track(limit)
                if known is not None:
                    track.start, track.used = known.start, known.used
                elif not track.per_call:
                    track.roll(self._account, course.since)
                    track.used = used_before(track, course.start, course.since, self._rules.catalogue)
                    seed_counters(self._account, track, track.used)
                self._tracks[limit.key] = track
                self._in_force.append(track)
        return self._in_force

    def _forget(self) -> None:
        """The plan or a right has changed: what was concluded from it no longer holds."""
        self._verdicts.clear()
        self._in_force = None
