"""What a call on a plain account must come to. Answers are tuples and dicts, refusals `Refused`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from entitlements.core.check import Question
from entitlements.core.record import UsageFact
from entitlements.core.settle import LeaseWanted
from kernel.ids import key_digest
from kernel.usage import Usage
from plans.terms import LimitTerms, PlanTerms
from tests.properties.plain_model import Counter, Hold, PlainAccount, Refused, Run
from tests.shop import CREDIT

# The shop's prices (tests/shop.py) and costs, as a person would write them on a wall.
CREDITS_PER_TOKEN = {"gpt-4o-mini": (100, 400), "gpt-4o": (1000, 4000), "claude-opus-4-6": (1000, 4000)}
"""Microcredits of chat per input and output token."""
CHAT_ON_NO_KNOWN_MODEL = 2 * CREDIT
NANOUSD_PER_TOKEN = {"gpt-4o-mini": 100, "gpt-4o": 1000}
RANK = {"gpt-4o-mini": 1, "gpt-4o": 2, "claude-opus-4-6": 2}
TIER = RANK
"""The shop's tiers have their ranks as ids."""
FEATURES = {"chat": 1, "export": 2, "search": 3}
NARROWEST_FIRST = ("run", "user", "customer", "plan", "everyone")


Limiting = tuple[str, int, int, str | None]
"""Limit, used, value, run."""


@dataclass
class Right:
    max_rank: int | None
    at_limit: str


@dataclass
class Draw:
    """What a call takes of each unit; None: nobody knows beforehand."""

    calls: int
    credits: int | None
    cost: int | None
    tokens: int | None


@dataclass
class Verdict:
    decision: str
    reason: str
    model: str | None
    needed: int | None
    limiting: Limiting | None = None
    hold: int | None = None
    balance: tuple[int, int, int, int, int] | None = None


def right_to(plan: PlanTerms | None, feature: str) -> Right | None:
    terms = plan.entitlements.get(FEATURES[feature]) if plan else None
    return Right(terms.max_rank, terms.at_limit) if terms else None


def price(plan: PlanTerms | None, feature: str, model: str, usage: Usage) -> int | None:
    if plan is None or feature == "export":
        return None
    if feature == "search":
        return 0
    if model not in CREDITS_PER_TOKEN:
        return CHAT_ON_NO_KNOWN_MODEL
    into, out = CREDITS_PER_TOKEN[model]
    return usage.input_tokens * into + usage.output_tokens * out


def cost(model: str, usage: Usage) -> int | None:
    if not model and usage == Usage():
        return 0
    per_token = NANOUSD_PER_TOKEN.get(model)
    return None if per_token is None else per_token * (usage.input_tokens + usage.output_tokens)


def overage_room(account: PlainAccount, feature: str) -> int | None:
    """How much overage the feature may still run up; None: without end."""
    right = right_to(account.plan, feature)
    if right is None or right.at_limit != "overage":
        return 0
    assert account.plan is not None
    cap = account.plan.spend_cap_microcredits
    return None if cap is None else max(0, cap - account.overage)


class Case:
    """A check and what it is decided from."""

    def __init__(self, account: PlainAccount, question: Question) -> None:
        self.account, self.question, self.plan = account, question, account.plan
        self.run = account.run(question.run_key) if question.run_key else None
        self.right = right_to(self.plan, question.feature)
        self.metered = question.feature != "export"

    def verdict(self) -> Verdict:
        asked = self.question.model
        if self.right is None or self.plan is None:
            return Verdict("deny", "not_entitled", asked or None, None)
        if asked and asked not in RANK and self.plan.unpriced == "deny":
            return Verdict("deny", "model_unpriced", asked or None, None)
        if not self.tier_allows(asked):
            return self.fallback("model_tier_not_allowed", None)
        needed = self.needed(asked) if self.metered else 0
        refusal = self.refusal(asked, needed)
        if refusal:
            if self.right.at_limit == "downgrade":
                return self.fallback(*refusal)
            return Verdict("deny", refusal[0], asked or None, needed, refusal[1])
        if not self.metered or self.affords(needed):
            return Verdict("allow", "entitled", asked or None, needed)
        room = overage_room(self.account, self.question.feature)
        missing = (needed or 0) - max(0, self.account.available)
        if self.account.debt == 0 and (room is None or missing <= room):
            return Verdict("allow", "overage", asked or None, needed)
        spent = ("balance", self.account.held + self.account.debt, self.account.posted, None)
        if self.right.at_limit == "downgrade":
            return self.fallback("insufficient_credits", spent)
        return Verdict("deny", "insufficient_credits", asked or None, needed, spent)

    def fallback(self, reason: str, limiting: Limiting | None) -> Verdict:
        """The first cheaper model of the plan's chain that everything allows."""
        assert self.plan is not None
        for model in (terms.key for terms in self.plan.fallbacks):
            if model == self.question.model or not self.tier_allows(model):
                continue
            if isinstance(self.question.estimate, int) and reason == "insufficient_credits":
                continue
            on_it = self.needed(model)
            if self.refusal(model, on_it) is None and self.affords(on_it):
                return Verdict("downgrade", reason, model, on_it, limiting)
        return Verdict("deny", reason, self.question.model or None, self.needed(self.question.model), limiting)

    def tier_allows(self, model: str) -> bool:
        assert self.right is not None
        return self.right.max_rank is None or model not in RANK or RANK[model] <= self.right.max_rank

    def affords(self, needed: int | None) -> bool:
        return self.account.available >= (needed or 0)

    def needed(self, model: str) -> int | None:
        estimate = self.question.estimate
        if isinstance(estimate, int):
            return estimate
        priced = price(self.plan, self.question.feature, model, estimate or Usage())
        if estimate is None and priced == 0 and self.question.feature == "chat":
            return 1  # Tokens will be charged for: with nothing left the answer is no.
        return priced

    def refusal(self, model: str, needed: int | None) -> tuple[str, Limiting] | None:
        draw = self.draw(model, needed)
        for level in self.run.levels if self.run else []:
            if not level.open:
                return "run_closed", ("run.steps", level.steps, level.steps, level.key)
            if level.deadline is not None and self.account.now >= level.deadline:
                return "run_budget_exhausted", ("run.time", 0, 0, level.key)
            held, held_steps = self.account.held_in(level)
            for name, used, taken, most in (
                ("run.steps", level.steps + held_steps, 1, level.steps_most),
                ("run.credits", level.charged + held, needed, level.credits_most),
                ("run.cost", level.cost, draw.cost, level.cost_most),
            ):
                if most is not None and used + (1 if taken is None else taken) > most:
                    return "run_budget_exhausted", (name, used, most, level.key)
        for limit in applying(self.plan, self.question.feature, model, self.question.user_key, self.run):
            taken = getattr(draw, limit.unit)
            used = used_of(self.account, limit, self.question.user_key, self.run)
            if limit.kind == "hard" and used + (1 if taken is None else taken) > limit.value:
                return "limit_reached", (limit.key, used, limit.value, None)
        return None

    def draw(self, model: str, needed: int | None) -> Draw:
        """Without a model there is no supplier, and no tokens unless the estimate says so."""
        estimate = self.question.estimate
        unknown = None if self.question.model else 0
        if not isinstance(estimate, Usage):
            return Draw(1, needed or 0, unknown, unknown)
        tokens = estimate.input_tokens + estimate.output_tokens
        return Draw(1, needed or 0, cost(model, estimate) if self.question.model else 0, tokens)


def applying(plan: PlanTerms | None, feature: str, model: str, user: str, run: Run | None) -> list[LimitTerms]:
    """The limits that a call comes under, the narrowest scope first."""
    found = []
    for scope in NARROWEST_FIRST:
        for limit in plan.limits if plan else ():
            if limit.scope != scope or (scope == "user" and not user) or (scope == "run" and not run):
                continue
            if limit.feature_id not in (None, FEATURES[feature]) or limit.tier_id not in (None, TIER.get(model)):
                continue
            found.append(limit)
    return found


def whose(limit: LimitTerms, user: str, run: Run | None) -> str:
    return {"user": f"user:{user}", "run": f"run:{run.id if run else ''}"}.get(limit.scope, "")


def used_of(account: PlainAccount, limit: LimitTerms, user: str, run: Run | None) -> int:
    """How far a limit is used and held in its window that is now."""
    if limit.window == "draw":
        return 0
    if limit.scope in ("plan", "everyone"):
        return account.used_by_all.get(limit.id, 0)
    scope = whose(limit, user, run)
    counter = account.counters.get((scope, limit.key))
    current = counter is not None and counter.window == account.window(limit.window, account.now)
    return account.held_by_counter(scope, limit.key) + (counter.used if counter and current else 0)


def move_counter(account: PlainAccount, limit: LimitTerms, user: str, run: Run | None, used: int) -> None:
    """Count, in the window that is now, and tell when a threshold is reached: the highest, once a window."""
    scope, window = whose(limit, user, run), account.window(limit.window, account.now)
    counter = account.counters.setdefault((scope, limit.key), Counter(window))
    if counter.window != window:
        counter.window, counter.used, counter.warned = window, 0, 0
    counter.used += used
    total = counter.used + account.held_by_counter(scope, limit.key)
    reached = [percent for percent in limit.warn_at_percent if total * 100 >= percent * limit.value]
    if reached and max(reached) > counter.warned:
        counter.warned = max(reached)
        account.told.append((limit.key, scope, counter.warned))


def decide(account: PlainAccount, question: Question) -> Verdict:
    """Answer, and place the hold where one is wanted and the answer is yes."""
    wanted = question.hold
    if wanted is not None:
        for known in account.holds:
            if known.key == wanted.key:
                if known.body != wanted.body_digest:
                    raise Refused("key_reused")
                assert isinstance(known.first_answer, Verdict)
                return known.first_answer
    case = Case(account, question)
    verdict = case.verdict()
    if wanted is not None and verdict.decision != "deny":
        needed = verdict.needed or 0
        model = verdict.model or ""
        hold = Hold(
            id=hold_id(account, wanted.key),
            key=wanted.key,
            body=wanted.body_digest,
            held=min(needed, account.free),
            steps=1,
            feature=question.feature,
            model=model,
            user=question.user_key,
            run=case.run,
            deadline=account.now + timedelta(seconds=wanted.ttl_seconds),
            is_lease=False,
            claims=[],
            first_answer=verdict,
        )
        account.holds.append(hold)
        draw = case.draw(model, needed)
        for limit in applying(account.plan, question.feature, model, question.user_key, case.run):
            amount = 0 if limit.unit == "cost" else getattr(draw, limit.unit) or 0
            if amount and limit.window != "draw" and limit.scope in ("run", "user", "customer"):
                hold.claims.append((whose(limit, question.user_key, case.run), limit.key, amount))
                move_counter(account, limit, question.user_key, case.run, 0)
        verdict.hold = hold.held
    verdict.balance = account.balance()
    return verdict


def hold_id(account: PlainAccount, key: str) -> UUID:
    return key_digest(key)


def count(
    account: PlainAccount, limits: list[LimitTerms], user: str, run: Run | None, taken: Draw, at: datetime
) -> None:
    """Count what a call took, where its own time lies in the window that is now."""
    for limit in limits:
        amount = getattr(taken, limit.unit)
        if not amount or limit.window == "draw" or limit.scope not in ("run", "user", "customer"):
            continue
        if account.window(limit.window, at) == account.window(limit.window, account.now):
            move_counter(account, limit, user, run, amount)


Outcome = tuple[int | None, int | None, bool, bool]
"""Credits, cost, known before, late."""


def record(
    account: PlainAccount, fact: UsageFact, *, hold: Hold | None = None, final: bool = True, calls: int = 1
) -> Outcome:
    """Charge what happened, once."""
    if fact.key_digest in account.events:
        body, credits, cost_then = account.events[fact.key_digest]
        if body != fact.body_digest:
            raise Refused("key_reused")
        return credits, cost_then, True, False
    feature, model = fact.feature, fact.model
    user, run = fact.user_key, next((run for run in account.runs if run.key == fact.run_key), None)
    if hold is not None:
        feature, model = hold.feature, fact.model or hold.model
        user, run = hold.user, hold.run
    credits = fact.stated_microcredits
    if credits is None:
        credits = price(account.plan, feature, model, fact.usage)
    cost_now = cost(model, fact.usage)
    charged = credits or 0
    open_hold = hold if hold is not None and hold.status == "open" else None
    if open_hold:
        open_hold.held -= min(open_hold.held, charged)
        open_hold.settled += charged
    account.charge(charged, overage_room(account, feature))
    if open_hold and final:
        account.end_hold(open_hold, "settled")
    tokens = fact.usage.input_tokens + fact.usage.output_tokens
    limits = applying(account.plan, feature, model, user, run)
    count(account, limits, user, run, Draw(calls, charged, cost_now or 0, tokens), fact.occurred_at)
    for level in run.levels if run else []:
        level.steps += calls
        level.charged += charged
        level.cost += cost_now or 0
    account.events[fact.key_digest] = fact.body_digest, credits, cost_now
    return credits, cost_now, False, hold is not None and open_hold is None


def settle(account: PlainAccount, hold: Hold, fact: UsageFact, *, final: bool) -> Outcome:
    if fact.key_digest not in account.events and hold.status in ("voided", "settled"):
        raise Refused(f"hold_{hold.status}")
    return record(account, fact, hold=hold, final=final, calls=int(final or hold.is_lease))


def acquire(account: PlainAccount, wanted: LeaseWanted) -> tuple[Hold, bool]:
    """A lease, and whether it is new."""
    for known in account.holds:
        if known.key == wanted.key:
            if known.body != wanted.body_digest:
                raise Refused("key_reused")
            return known, False
    if account.available < wanted.microcredits:
        raise Refused("insufficient_credits")
    lease = Hold(
        id=hold_id(account, wanted.key),
        key=wanted.key,
        body=wanted.body_digest,
        held=wanted.microcredits,
        steps=0,
        feature=wanted.feature,
        model="",
        user="",
        run=None,
        deadline=account.now + timedelta(seconds=wanted.ttl_seconds),
        is_lease=True,
        claims=[],
    )
    account.holds.append(lease)
    return lease, True


def extend(account: PlainAccount, lease: Hold, credits: int, deadline: datetime | None) -> None:
    if lease.status != "open":
        raise Refused("hold_expired" if lease.status == "expired" else "hold_settled")
    if not lease.is_lease:
        raise Refused("invalid_input")
    if account.available < credits:
        raise Refused("insufficient_credits")
    lease.held += credits
    lease.deadline = max(lease.deadline, deadline or lease.deadline)
