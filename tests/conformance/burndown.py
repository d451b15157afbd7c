"""The burn-down cases against the engine: what they expect, the full derived answer, the ordering, the laws.

Beyond what a case says, its run is also cut in two at the start and in the middle of every segment:
the snapshot in between must not change the answer.
"""

from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings

from entitlements.burndown import BurndownError, Result, burn_order
from tests.conformance.burndown_cases import Inputs, read_case, read_ordering, write_result
from tests.conformance.differences import differences
from tests.properties import burndown_laws

REFUSALS = ("error", "raises")
"""Members of `expect` that ask for a refusal instead of a result."""

LAWS = {
    "PROP1": burndown_laws.two_runs_equal_one,
    "PROP2": burndown_laws.the_same_inputs_give_the_same_result,
    "PROP3": burndown_laws.a_chain_of_runs_equals_one,
    "PROP4": burndown_laws.what_was_used_was_burned_or_is_overage,
    "PROP5": burndown_laws.late_events_leave_every_answer_consistent,
    "PROP6": burndown_laws.snapshots_never_change_an_answer,
}

sampled = settings(
    max_examples=50, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
"""A few dozen accounts, the same ones each time; tests/properties looks further."""


def run(cases: dict[str, Any]) -> tuple[int, list[str], int]:
    """Run the whole file. Returns how many passed, a line for each failure, and how many were skipped."""
    passed, skipped, failures = 0, 0, list[str]()
    for name, found in _checks(cases):
        if found is None:
            skipped += 1
        elif found:
            failures.append(f"{name}: {'; '.join(found)}")
        else:
            passed += 1
    return passed, failures, skipped


def _checks(cases: dict[str, Any]) -> Iterator[tuple[str, list[str] | None]]:
    """The name of each check and what it found; None where it does not apply to us."""
    for case in cases["cases"]:
        counted = case.get("meter_aggregation", "SUM") == "SUM"
        yield f"{case['id']} ({case['name']})", check_case(case) if counted else None
    if ordering := cases.get("ordering"):
        order = [grant.id for grant in burn_order(read_ordering(ordering))]
        yield ordering["id"], differences(ordering["expect_order"], order, "order")
    for law in cases.get("properties", []):
        yield law["id"], check_law(law["id"])


def check_case(case: dict[str, Any]) -> list[str]:
    """Where the engine departs from one case; empty if nowhere."""
    expect = case.get("expect", {})
    to_be_refused = any(expect.get(word) for word in REFUSALS)
    try:
        inputs = read_case(case)
        result = inputs.run()
    except BurndownError as refused:
        return [] if to_be_refused else [f"was refused: {refused}"]
    except Exception as crash:  # noqa: BLE001 -- a crash is a finding about this case, not the end of the others
        return [f"crashed with {crash!r}"]
    if to_be_refused:
        return ["should have been refused"]
    answer = write_result(result)
    found = [line for key, expected in expect.items() for line in _check_expectation(key, expected, answer)]
    if derived := case.get("derived_full_result"):
        found += _check_derived(derived, answer)
    return found or list(_check_cuts(inputs, result))


def _check_expectation(key: str, expected: Any, answer: dict[str, Any]) -> list[str]:
    """One member of `expect`; ``segments_X`` is X of every segment."""
    field = key.removeprefix("segments_")
    if field != key:
        return differences(expected, [segment.get(field) for segment in answer["segments"]], key)
    if key not in answer:
        return [f"this runner cannot check {key!r}"]
    if key == "balances" and not expected:
        return differences([], sorted(answer[key]), "grants with a balance")
    return differences(expected, answer[key], key)


def _check_derived(derived: dict[str, Any], answer: dict[str, Any]) -> list[str]:
    found = differences(derived, answer, "derived")
    # A grant too many would go unseen: `differences` looks at expected members only.
    found += differences(sorted(derived["balances"]), sorted(answer["balances"]), "derived grants")
    for number, (one, other) in enumerate(zip(derived["segments"], answer["segments"], strict=False)):
        grants = sorted(one["balance_at_start"]), sorted(other["balance_at_start"])
        found += differences(*grants, f"derived grants of segment {number}")
    return found


def _check_cuts(inputs: Inputs, whole: Result) -> Iterator[str]:
    for segment in whole.segments:
        for cut in (segment.start, segment.start + (segment.end - segment.start) / 2):
            if inputs.start.at < cut < inputs.until:
                yield from differences(_end(whole), _end(inputs.run_in_two(cut)), f"resumed at {cut}")


def _end(result: Result) -> dict[str, Any]:
    """Where a run ended, whatever the segments it took to get there."""
    answer = write_result(result)
    return {key: answer[key] for key in answer if key not in {"segments", "n_segments"}}


def check_law(name: str) -> list[str] | None:
    """Whether a property holds for a sample of accounts; None for one we do not know."""
    law = LAWS.get(name)
    if law is None:
        return None
    try:
        sampled(given(burndown_laws.accounts())(law))()
    except AssertionError as broken:
        return [f"{law.__name__} does not hold: {broken}"]
    return []
