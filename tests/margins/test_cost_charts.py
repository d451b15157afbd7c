"""The charts of cost are valid, stay in their frame, and say in words what they draw."""

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from margins.cost_charts import HEIGHT, WIDTH, Step, heavy_curve, share_bar, waterfall
from tests.margins.test_charts import coordinates, of_class

amounts = st.integers(-(10**18), 10**18)


def bridge(*steps: Step, title: str = "Why") -> ET.Element:
    return ET.fromstring(waterfall(steps, chart_id="bridge", title=title, description="In words"))


@given(st.lists(st.tuples(amounts, st.booleans()), max_size=8))
def test_any_steps_stay_in_their_frame(steps: list[tuple[int, bool]]) -> None:
    chart = bridge(*(Step("x", amount, is_level) for amount, is_level in steps))
    assert all(-0.1 <= number <= WIDTH for number in coordinates(chart))
    names = ("chart-level", "chart-dearer", "chart-cheaper")
    assert sum(len(of_class(chart, name)) for name in names) == len(steps)


def test_a_change_hangs_where_the_one_before_it_ended() -> None:
    """100, +50, −30, 120: the last change ends at the height of the last level."""
    chart = bridge(Step("Before", 100, True), Step("Up", 50), Step("Down", -30), Step("After", 120, True))
    up, down = of_class(chart, "chart-dearer")[0], of_class(chart, "chart-cheaper")[0]
    first, last = of_class(chart, "chart-level")
    top = {
        name: float(rect.get("y", "")) for name, rect in (("up", up), ("down", down), ("first", first), ("last", last))
    }
    height = {name: float(rect.get("height", "")) for name, rect in (("up", up), ("down", down))}
    assert top["up"] == top["down"], "one ends where the next begins"
    assert abs(top["up"] + height["up"] - top["first"]) < 0.2
    assert abs(top["down"] + height["down"] - top["last"]) < 0.2


def test_the_charts_can_be_heard_and_escape_what_they_are_told() -> None:
    chart = bridge(Step("<b>", 1, True, hint="<i>"), title="<script>")
    assert chart.get("role") == "img"
    assert [element.text for element in chart if element.tag == "title"] == ["<script>"]
    assert "Nothing to compare" in "".join(bridge().itertext())


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 10**18)), min_size=1, max_size=30))
def test_any_curve_stays_in_its_frame(steps: list[tuple[int, int]]) -> None:
    points, people, cost = [(0, 0)], 0, 0
    for more_people, more_cost in steps:
        people, cost = people + more_people, cost + more_cost
        points.append((people, cost))
    drawn = heavy_curve(points, [(people, cost, "All")], chart_id="people", title="Who", description="In words")
    chart = ET.fromstring(drawn)
    assert all(0 <= number <= max(WIDTH, HEIGHT) for number in coordinates(chart))
    assert len(of_class(chart, "chart-mark")) == (1 if cost else 0)


def test_no_cost_has_no_curve() -> None:
    for points in ([], [(0, 0)], [(0, 0), (5, 0)]):
        drawn = heavy_curve(points, [], chart_id="people", title="Who", description="In words")
        assert "No cost to spread" in drawn


def test_a_share_is_as_long_as_it_is_large() -> None:
    def length(part: int, whole: int) -> float:
        (found,) = of_class(ET.fromstring(share_bar(part, whole, label="25 %")), "share-part")
        return float(found.get("width", ""))

    assert (length(1, 4), length(0, 4), length(9, 4), length(1, 0), length(-1, 4)) == (24, 0, 96, 0, 0)
