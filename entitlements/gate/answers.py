"""From results to what callers read: microcredits and nano-USD become decimal strings here, and only here."""

from collections.abc import Sequence

from entitlements.core.check import Answer
from entitlements.core.record import Recorded, UsageFact
from entitlements.gate.engine import BalanceNow, CheckResult, UsageOutcome
from entitlements.gate.messages import (
    Balance,
    Caution,
    CheckAnswer,
    Limiting,
    Remedy,
    UsageAnswer,
    UsageBatchAnswer,
    UsageResult,
)
from entitlements.gate.reading import Item
from kernel.clock import format_instant
from kernel.errors import Problem
from kernel.units import format_credits, format_usd


def check_answer(result: CheckResult) -> CheckAnswer:
    """The body of an answered check."""
    answer = result.answer
    return CheckAnswer(
        decision=answer.decision,
        reason=answer.reason,
        model=answer.model,
        credits=_credits(answer.needed_microcredits),
        limiting=_limiting(answer),
        balance=_balance(result.balance),
        warnings=[Caution(warning.code, warning.detail) for warning in answer.warnings],
        remedy=Remedy(answer.remedy.upgrade_to, answer.remedy.model) if answer.remedy else None,
    )


def usage_answer(fact: UsageFact, outcome: UsageOutcome) -> tuple[int, UsageAnswer]:
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


def usage_batch_answer(items: Sequence[Item], outcomes: Sequence[UsageOutcome]) -> UsageBatchAnswer:
    """The body for a batch: `outcomes` are those of the readable items, in order."""
    following = iter(outcomes)
    results = [
        _refused(index, None, item) if isinstance(item, Problem) else _result(index, item[1], next(following))
        for index, item in enumerate(items)
    ]
    statuses = [result.status for result in results]
    return UsageBatchAnswer(
        accepted=statuses.count("accepted"),
        duplicates=statuses.count("duplicate"),
        rejected=statuses.count("rejected"),
        results=results,
    )


def _result(index: int, fact: UsageFact, outcome: UsageOutcome) -> UsageResult:
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
    return Limiting(
        limit=limiting.limit,
        scope=limiting.scope,
        used=format_credits(limiting.used),
        value=format_credits(limiting.value),
        resets_at=None if limiting.resets_at is None else format_instant(limiting.resets_at),
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
