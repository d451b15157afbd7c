"""Stripe's bracket notation, and knowing what was read. No process, no SDK."""

from datetime import UTC, datetime

import pytest

from sandbox.errors import InvalidRequest
from sandbox.objects.intervals import moved, next_boundary
from sandbox.params import Params, decode


@pytest.mark.parametrize(
    ("form", "tree"),
    [
        ("", {}),
        ("a=1&b=", {"a": "1", "b": ""}),
        ("a[b][c]=1&a[d]=2", {"a": {"b": {"c": "1"}, "d": "2"}}),
        ("items[0][price]=p&items[1][price]=q", {"items": {"0": {"price": "p"}, "1": {"price": "q"}}}),
        ("expand[]=a&expand[]=b", {"expand": {"0": "a", "1": "b"}}),
        ("metadata[a%20b]=%C3%BC", {"metadata": {"a b": "ü"}}),
    ],
)
def test_brackets_become_a_tree(form: str, tree: object) -> None:
    assert decode(form) == tree


@pytest.mark.parametrize("form", ["a=1&a[b]=2", "[a]=1", "a[b=1"])
def test_what_cannot_be_a_tree_is_refused(form: str) -> None:
    with pytest.raises(InvalidRequest):
        decode(form)


def test_what_was_not_read_is_named() -> None:
    params = Params(decode("a=1&b=2&c[d]=3&c[e]=4&items[0][x]=5&items[0][y]=6&f[g][h]=7"))
    params.text("a")
    params.child("c").text("d")
    for item in params.children("items"):
        item.text("x")

    assert sorted(params.unread()) == ["b", "c[e]", "f", "items[0][y]"]


def test_values_are_read_as_what_they_should_be() -> None:
    params = Params(decode("n=12&t=true&e=&m[a]=1&m[b]=&d=0.0375"))
    assert (params.integer("n"), params.flag("t"), params.text("e"), params.mapping("m")) == (
        12,
        True,
        None,
        {"a": "1", "b": ""},
    )
    assert str(params.decimal("d")) == "0.0375"
    for wrong in (
        lambda: params.integer("t"),
        lambda: params.flag("n"),
        lambda: params.child("n"),
        lambda: params.text("m"),
    ):
        with pytest.raises(InvalidRequest):
            wrong()


@pytest.mark.parametrize(
    ("interval", "count", "times", "expected"),
    [
        ("month", 1, 1, (2027, 2, 28)),
        ("month", 1, 2, (2027, 3, 31)),
        ("month", 3, 1, (2027, 4, 30)),
        ("month", 1, -2, (2026, 11, 30)),
        ("year", 1, 1, (2028, 1, 31)),
        ("week", 2, 1, (2027, 2, 14)),
        ("day", 1, 1, (2027, 2, 1)),
    ],
)
def test_periods_are_counted_from_their_anchor(
    interval: str, count: int, times: int, expected: tuple[int, int, int]
) -> None:
    anchor = int(datetime(2027, 1, 31, 9, 30, tzinfo=UTC).timestamp())
    recurring = {"interval": interval, "interval_count": count}

    assert datetime.fromtimestamp(moved(anchor, recurring, times), UTC) == datetime(*expected, 9, 30, tzinfo=UTC)


def test_the_next_boundary_is_later_than_the_last() -> None:
    anchor = int(datetime(2027, 1, 31, tzinfo=UTC).timestamp())
    monthly = {"interval": "month", "interval_count": 1}
    end = next_boundary(anchor, monthly, anchor)
    assert datetime.fromtimestamp(end, UTC).day == 28
    assert datetime.fromtimestamp(next_boundary(anchor, monthly, end), UTC).day == 31
