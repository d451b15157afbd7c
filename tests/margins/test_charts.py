"""The charts are valid, readable without eyes, and never draw what is not there."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from margins.charts import HEIGHT, WIDTH, TrendDay, sparkline, trend

SVG_NUMBERS = ("x", "y", "width", "height", "x1", "x2", "y1", "y2", "cx", "cy", "r")


def drawn(days: list[TrendDay], title: str = "Margin", **parts: str) -> ET.Element:
    return ET.fromstring(trend(days, chart_id="trend", title=title, description="By day", **parts))  # type: ignore[arg-type]


def of_class(chart: ET.Element, name: str) -> list[ET.Element]:
    return [element for element in chart.iter() if name in element.get("class", "").split()]


def coordinates(chart: ET.Element) -> list[float]:
    numbers = [element.get(name) for element in chart.iter() for name in SVG_NUMBERS]
    pairs = [element.get("points", "").replace(",", " ").split() for element in chart.iter()]
    return [float(number) for number in [*numbers, *(one for pair in pairs for one in pair)] if number is not None]


amounts = st.integers(-(10**18), 10**18)


@given(st.lists(st.tuples(amounts, amounts), max_size=40))
def test_any_days_make_a_chart_that_stays_in_its_frame(days: list[tuple[int, int]]) -> None:
    chart = drawn([TrendDay(str(number), *day) for number, day in enumerate(days)])
    assert all(0 <= number <= WIDTH for number in coordinates(chart)), "and so none is infinite or not a number"
    assert len(of_class(chart, "chart-revenue")) == len(days)


@given(st.lists(st.none() | amounts, max_size=40))
def test_any_values_make_a_sparkline_that_stays_in_its_frame(values: list[int | None]) -> None:
    line = ET.fromstring(sparkline(values, label="Trend"))
    assert all(0 <= number <= 96 for number in coordinates(line))


def test_the_chart_is_named_and_described() -> None:
    chart = drawn([], title='Margin <by> day & "more"')
    assert chart.get("role") == "img"
    title, description = chart[0], chart[1]
    assert chart.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert (title.text, description.text) == ('Margin <by> day & "more"', "By day")
    assert "No days to show" in "".join(chart.itertext())


def test_the_chart_is_not_taken_for_one_of_the_admins() -> None:
    """The admin's script calls getContext on whatever has the class "chart": on an SVG that throws, and ends it."""
    assert not of_class(drawn([TrendDay("1", 10, 5)]), "chart")


def test_text_from_outside_cannot_become_markup() -> None:
    chart = drawn([TrendDay("<script>", 1, 1, hint='"><script>alert(1)</script>')])
    assert not [element for element in chart.iter() if element.tag == "script"]
    assert ET.fromstring(sparkline([1], label='"><script>')).get("aria-label") == '"><script>'


def test_a_day_without_revenue_is_a_gap_in_the_margin_not_a_zero() -> None:
    chart = drawn([TrendDay("1", 10, 5), TrendDay("2", 10, 5), TrendDay("3", 0, 5), TrendDay("4", 10, 5)])
    lines = of_class(chart, "chart-margin")
    assert [line.tag for line in lines] == ["polyline", "circle"]
    assert len(lines[0].get("points", "").split()) == 2


def test_bars_are_drawn_to_scale() -> None:
    chart = drawn([TrendDay("1", 200, 50), TrendDay("2", 100, 0)], amount_text=lambda top: f"top {top}")  # type: ignore[arg-type]
    heights = [float(bar.get("height", "")) for bar in of_class(chart, "chart-revenue")]
    assert heights == [120, 60]
    assert [float(bar.get("height", "")) for bar in of_class(chart, "chart-cogs")] == [30, 0]
    assert "top 200" in "".join(chart.itertext())


@pytest.mark.parametrize(("cogs", "lowest"), [(5, "0 %"), (14, "−50 %"), (100, "−100 %")])
def test_the_margin_axis_reaches_below_zero_only_as_far_as_needed(cogs: int, lowest: str) -> None:
    chart = drawn([TrendDay("1", 10, cogs)])
    labels = [text.text for text in of_class(chart, "chart-label")]
    assert labels[0] == lowest
    point = of_class(chart, "chart-margin")[0]
    assert 0 <= float(point.get("cy", "")) <= HEIGHT


def test_a_losing_sparkline_looks_like_one() -> None:
    assert of_class(ET.fromstring(sparkline([3, -9, None, 2], label="x")), "sparkline-loss")
    assert not of_class(ET.fromstring(sparkline([3, -1, 2], label="x")), "sparkline-loss")
