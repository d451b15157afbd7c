"""From results to what callers read: microcredits and nano-USD become decimal strings here, and only here."""

from collections.abc import Callable, Sequence

from entitlements.core import holds
from entitlements.core.check import Answer
from entitlements.core.decide import BalanceNow, HoldPlaced
from entitlements.core.record import Recorded, UsageFact
from entitlements.core.settle import HoldNow
from entitlements.gate.calls import Checked, ItemOutcome, RunResult, Settled
from entitlements.gate.messages import (
    Balance,
    Caution,
    CheckAnswer,
    Hold,
    HoldAnswer,
    LeaseSettlementAnswer,
    Limiting,
    Remedy,
    RunAnswer,
    SettleAnswer,
    UsageAnswer,
    UsageBatchAnswer,
    UsageResult,
)
from entitlements.gate.reading import Item
from kernel.clock import format_instant
from kernel.errors import Problem
from kernel.ids import public_id
from kernel.units import format_credits, format_usd

HOLD_STATUS = {holds.OPEN: "open", holds.SETTLED: "settled", holds.VOIDED: "voided", holds.EXPIRED: "expired"}
_UNIT_FORMAT: dict[str, Callable[[int], str]] = {
    "credits": format_credits,
    "cost": format_usd,
    "calls": str,
    "tokens": str,
    "steps": str,
    "time": str,
    "margin": format_credits,  # a ratio in millionths
}


def check_answer(checked: Checked) -> CheckAnswer:
    """The body of an answered check."""
    decided = checked.decided
    answer = decided.answer
    return CheckAnswer(
        decision_id=public_id("decision", *checked.decision_id) if checked.decision_id else None,
        decision=answer.decision,
        reason=answer.reason,
        model=answer.model,
        credits=_credits(answer.needed_microcredits),
        limiting=_limiting(answer),
        hold=_hold(decided.hold) if decided.hold else None,
        balance=_balance(decided.balance),
        warnings=[Caution(warning.code, warning.detail) for warning in answer.warnings],
        remedy=Remedy(answer.remedy.upgrade_to, answer.remedy.model) if answer.remedy else None,
    )


def settle_answer(fact: UsageFact, settled: Settled) -> SettleAnswer:
    """The body for a settled hold. Raises the problem it was refused with."""
    (recorded,) = settled.items
    if isinstance(recorded, Problem):
        raise recorded
    return SettleAnswer(
        key=fact.key,
        status=_status(recorded),
        credits=_credits(recorded.charged_microcredits),
        cost_usd=_usd(recorded.cost_nanousd),
        late=recorded.late,
        hold=_hold(settled.hold.hold),
        balance=_balance(settled.hold.balance),
    )


def lease_settlement_answer(items: Sequence[UsageFact | Problem], settled: Settled) -> LeaseSettlementAnswer:
    """The body for a lease's actions: `settled` has those of the readable items, in order."""
    following = iter(settled.items)
    results = [
        _refused(index, None, item)
        if isinstance(item, Problem)
        else _result(index, item, _lease_outcome(item, next(following)))
        for index, item in enumerate(items)
    ]
    return LeaseSettlementAnswer(
        **_counts(results),
        results=results,
        hold=_hold(settled.hold.hold),
        balance=_balance(settled.hold.balance),
    )


def _lease_outcome(fact: UsageFact, result: Recorded | Problem) -> ItemOutcome:
    stored = result.row if isinstance(result, Recorded) else None
    return ItemOutcome(result, (stored.model if stored else fact.model) or None, None)


def hold_answer(now: HoldNow) -> HoldAnswer:
    """The body for a hold or lease as it stands."""
    return HoldAnswer(
        status=HOLD_STATUS[now.status],
        settled=format_credits(now.settled_microcredits),
        hold=_hold(now.hold),
        balance=_balance(now.balance),
    )


def run_answer(result: RunResult) -> RunAnswer:
    """The body for a run."""
    run = result.run
    return RunAnswer(
        id=public_id("run", result.customer_id, run.id),
        key=run.key,
        status="open" if run.closed_at is None else "closed",
        depth=len(run.ancestors),
        steps=run.steps,
        credits=format_credits(run.charged_microcredits),
        held=format_credits(run.held_microcredits),
        cost_usd=format_usd(run.cost_nanousd),
        deadline=None if run.deadline is None else format_instant(run.deadline),
    )


def usage_answer(fact: UsageFact, outcome: ItemOutcome) -> tuple[int, UsageAnswer]:
    """Status and body for a single action. Raises the problem it was refused with."""
    recorded, balance = outcome.result, outcome.balance
    if isinstance(recorded, Problem):
        raise recorded
    if balance is None:
        raise AssertionError("an action was recorded for an account that was not loaded")
    return 200 if recorded.duplicate else 201, UsageAnswer(
        key=fact.key,
        status=_status(recorded),
        credits=_credits(recorded.charged_microcredits),
        cost_usd=_usd(recorded.cost_nanousd),
        model=outcome.model,
        balance=_balance(balance),
    )


def usage_batch_answer(items: Sequence[Item], outcomes: Sequence[ItemOutcome]) -> UsageBatchAnswer:
    """The body for a batch: `outcomes` are those of the readable items, in order."""
    following = iter(outcomes)
    results = [
        _refused(index, None, item) if isinstance(item, Problem) else _result(index, item[1], next(following))
        for index, item in enumerate(items)
    ]
    return UsageBatchAnswer(**_counts(results), results=results)


def _counts(results: Sequence[UsageResult]) -> dict[str, int]:
    statuses = [result.status for result in results]
    return {
        "accepted": statuses.count("accepted"),
        "duplicates": statuses.count("duplicate"),
        "rejected": statuses.count("rejected"),
    }


def _result(index: int, fact: UsageFact, outcome: ItemOutcome) -> UsageResult:
    recorded = outcome.result
    if isinstance(recorded, Problem):
        return _refused(index, fact.key, recorded)
    return UsageResult(
        index=index,
        key=fact.key,
        status=_status(recorded),
        credits=_credits(recorded.charged_microcredits),
        cost_usd=_usd(recorded.cost_nanousd),
        model=outcome.model,
    )


def _refused(index: int, key: str | None, problem: Problem) -> UsageResult:
    body = problem.body()
    body["field"] = f"events[{index}].{problem.field}" if problem.field else f"events[{index}]"
    return UsageResult(index=index, key=key, status="rejected", error=body)


def _status(recorded: Recorded) -> str:
    return "duplicate" if recorded.duplicate else "accepted"


def _limiting(answer: Answer) -> Limiting | None:
    limiting = answer.limiting
    if limiting is None:
        return None
    amount = _UNIT_FORMAT[limiting.unit]
    return Limiting(
        limit=limiting.limit,
        scope=limiting.scope,
        unit=limiting.unit,
        used=amount(limiting.used),
        value=amount(limiting.value),
        resets_at=None if limiting.resets_at is None else format_instant(limiting.resets_at),
        run=limiting.run,
    )


def _hold(hold: HoldPlaced) -> Hold:
    return Hold(
        id=public_id("hold", hold.customer_id, hold.id),
        credits=format_credits(hold.microcredits),
        expires_at=format_instant(hold.expires_at),
    )


def _balance(balance: BalanceNow) -> Balance:
    return Balance(
        posted=format_credits(balance.posted),
        held=format_credits(balance.held),
        available=format_credits(balance.available),
        debt=format_credits(balance.debt),
        overage=format_credits(balance.overage),
    )


def _credits(amount: int | None) -> str | None:
    return None if amount is None else format_credits(amount)


def _usd(amount: int | None) -> str | None:
    return None if amount is None else format_usd(amount)
