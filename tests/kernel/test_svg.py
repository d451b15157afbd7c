"""Pieces of charts: escaped, and with gaps where there is no value."""

from kernel import svg


def test_texts_are_escaped_wherever_they_stand() -> None:
    drawn = svg.chart(
        "c",
        width=10,
        height=5,
        chart_id='"x',
        title="<t>",
        description="a & b",
        parts=[svg.label(1, 2, "<l>", anchor="end")],
    )
    for text in ("&quot;x-title", "&lt;t&gt;", "a &amp; b", "&lt;l&gt;"):
        assert text in drawn
    assert svg.hint("<h>") == "<title>&lt;h&gt;</title>"


def test_a_line_breaks_where_there_is_no_value() -> None:
    assert svg.line([(0, 1), (2, 3), None, (4, 5)], "l") == (
        '<polyline class="l" points="0,1 2,3"/><circle class="l" cx="4" cy="5" r="2"/>'
    )
    assert svg.line([None], "l") == ""


def test_an_area_reaches_down_to_its_base() -> None:
    assert svg.area([(0, 1), (2, 3)], 9, "a") == '<polygon class="a" points="0,9 0,1 2,3 2,9"/>'
    assert svg.area([], 9, "a") == ""


def test_coordinates_are_to_a_tenth() -> None:
    assert svg.segment("s", (0.04, 1), (2.25, 3.0)) == '<line class="s" x1="0" x2="2.2" y1="1" y2="3"/>'
    assert svg.rect("r", 1, 2, 3.5, 4) == '<rect class="r" x="1" y="2" width="3.5" height="4"/>'
