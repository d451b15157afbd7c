"""The shared cases as tests, where they are at hand; and the runner's own manners, everywhere."""

import json
from pathlib import Path

import pytest

from tests.conformance import burndown
from tests.conformance.run import SHARED_CASES, SUITES, main, run_file


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", SUITES)
def test_the_shared_cases_hold(name: str) -> None:
    if not (SHARED_CASES / name).is_file():
        pytest.skip("../shared/conformance is not beside this repository")
    outcome = run_file(SHARED_CASES, name)
    if outcome.remark:
        pytest.skip(f"{name}: {outcome.remark}")
    assert outcome.failures == ()
    assert outcome.passed > 0


CASE: dict[str, object] = {
    "id": "X01",
    "name": "forty of a hundred",
    "meter_aggregation": "SUM",
    "grants": [{"id": "g", "amount": 100, "priority": 1, "effective_at": "2026-03-01T00:00:00Z"}],
    "start": {"at": "2026-03-01T00:00:00Z", "balances": {"g": 100}},
    "events": [{"at": "2026-03-01T06:00:00Z", "value": 40}],
    "until": "2026-03-02T00:00:00Z",
    "expect": {"balances": {"g": 60}, "usage": 40, "segments_usage": [40]},
}


def with_expectation(**expect: object) -> dict[str, object]:
    return CASE | {"expect": expect}


def test_a_case_that_holds_passes() -> None:
    assert burndown.run({"cases": [CASE]}) == (1, [], 0)


@pytest.mark.parametrize(
    ("expect", "finding"),
    [
        ({"balances": {"g": 61}}, "balances.g is 60, not 61"),
        ({"balances": {}}, "grants with a balance is ['g'], not []"),
        ({"segments_usage": [40, 0]}, "segments_usage is"),
        ({"n_segments": 2}, "n_segments is 1, not 2"),
        ({"error": True}, "should have been refused"),
        ({"weather": "fine"}, "cannot check 'weather'"),
    ],
)
def test_a_case_that_does_not_hold_says_what_differs(expect: dict[str, object], finding: str) -> None:
    _, failures, _ = burndown.run({"cases": [with_expectation(**expect)]})
    assert [line.startswith("X01 (forty of a hundred): ") and finding in line for line in failures] == [True]


def test_a_derived_result_is_checked_to_the_last_grant() -> None:
    segment = {"balance_at_start": {}, "usage": 40}
    case = CASE | {"derived_full_result": {"balances": {}, "segments": [segment]}}
    _, failures, _ = burndown.run({"cases": [case]})
    assert "derived grants is ['g'], not []" in failures[0]
    assert "derived grants of segment 0 is ['g'], not []" in failures[0]


def test_a_refusal_that_is_expected_passes() -> None:
    case = with_expectation(error=True) | {"start": {"at": "2026-03-01T00:00:00Z", "balances": {}}}
    assert burndown.run({"cases": [case]}) == (1, [], 0)


def test_other_aggregations_and_unknown_properties_are_skipped() -> None:
    cases = {"cases": [CASE | {"meter_aggregation": "LATEST"}], "properties": [{"id": "PROP99"}]}
    assert burndown.run(cases) == (0, [], 2)


def test_the_last_line_counts_and_the_exit_code_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = with_expectation(usage=41) | {"id": "X02"}
    (tmp_path / "burndown.json").write_text(json.dumps({"cases": [CASE, wrong]}))
    assert main(["--cases", str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "FAILED burndown.json X02 (forty of a hundred): usage is 40, not 41" in lines
    assert lines[-1] == "1 passed, 1 failed"


def test_a_folder_without_cases_is_not_a_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--cases", str(tmp_path)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 0 failed"
