"""What a run says about its measurements."""

import msgspec
import pytest

from bench.__main__ import RESULTS
from bench.jobs import Result
from bench.lines import LINES, Line, Term, judge, scale_lines
from bench.report import DOCUMENT, Report, document


def reading(per_second: float, *, p50: float = 1.0, p99: float = 2.0) -> Result:
    return Result(per_second=per_second, p50_ms=p50, p99_ms=p99, right=1, wrong={})


def line(**changes: object) -> Line:
    usual = {"name": "x", "title": "ours ÷ theirs", "top": Term("ours"), "bottom": Term("theirs"), "reach": 0.7}
    return Line(**(usual | changes))  # type: ignore[arg-type]


def test_the_ratio_is_the_median_of_each_rounds_own() -> None:
    rounds = [(100, 100), (10, 10), (90, 100), (300, 100), (50, 100)]
    judged = judge(line(), [{"ours": reading(ours), "theirs": reading(theirs)} for ours, theirs in rounds])
    assert judged.ratios == [1, 1, 0.9, 3, 0.5]
    assert judged.ratio == 1
    assert (judged.top, judged.bottom) == (90, 100)


@pytest.mark.parametrize(("per_second", "reached"), [(71, True), (70, True), (69, False)])
def test_a_rate_reaches_its_bound_from_above(per_second: float, reached: bool) -> None:
    judged = judge(line(), [{"ours": reading(per_second), "theirs": reading(100)}])
    assert judged.reached is reached


@pytest.mark.parametrize(("p99", "reached"), [(3.9, True), (4.1, False)])
def test_a_latency_reaches_its_bound_from_below(p99: float, reached: bool) -> None:
    even = line(top=Term("ours", "p99_ms"), bottom=Term("ours", "p50_ms"), reach=4, at_most=True)
    assert judge(even, [{"ours": reading(1, p50=1, p99=p99)}]).reached is reached


def test_a_line_without_a_bound_is_neither_reached_nor_missed() -> None:
    assert judge(line(reach=None), [{"ours": reading(1), "theirs": reading(1)}]).reached is None


def test_lines_have_names_of_their_own() -> None:
    names = [each.name for each in [*LINES, *scale_lines([10_000, 100_000, 1_000_000], 10_000)]]
    assert len(names) == len(set(names))


def test_the_documentation_shows_the_stored_results() -> None:
    if not RESULTS.exists():
        pytest.skip("no whole run is stored")
    stored = msgspec.json.decode(RESULTS.read_bytes(), type=Report)
    assert document(stored) in DOCUMENT.read_text()
