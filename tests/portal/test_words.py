"""Figures as people read them."""

from datetime import timedelta
from typing import Any

import pytest
from moneyed import Money

from portal.pages.typed import credits_typed, sentence
from portal.words import credits_text, money_text, named, overage_money, percent_of, span_text
from tests.shop import CREDIT, plan


@pytest.mark.parametrize(
    ("microcredits", "text"),
    [
        (0, "0"), (CREDIT, "1"), (1_500_000, "1.5"), (1234_567_890, "1,234.57"), (-3 * CREDIT, "−3"),
        (1_400, "0.0014"), (1, "0.000001"), (10**15, "1,000,000,000"), (9_999, "0.01"), (-1_400, "−0.0014"),
    ],
)  # fmt: skip
def test_credits_are_rounded_for_the_eye_and_never_to_nothing(microcredits: int, text: str) -> None:
    assert credits_text(microcredits) == text


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("9", "USD", "$9"), ("9.5", "USD", "$9.50"), ("1234.56", "EUR", "€1,234.56"), ("1000", "JPY", "¥1,000"),
        ("1.250", "KWD", "KWD 1.25"), ("0.008", "USD", "$0.008"), ("-12.5", "USD", "−$12.50"),
        ("100.000", "USD", "$100"),
    ],
)  # fmt: skip
def test_money_is_written_as_it_is_paid(amount: str, currency: str, text: str) -> None:
    assert money_text(Money(amount, currency)) == text


@pytest.mark.parametrize(
    ("span", "text"),
    [
        ({"minutes": 20}, "less than an hour"), ({"hours": 1}, "about 1 hour"), ({"hours": 30}, "about 30 hours"),
        ({"days": 2}, "about 2 days"), ({"days": 59}, "about 59 days"), ({"days": 90}, "about 3 months"),
        ({"days": 400}, "more than a year"),
    ],
)  # fmt: skip
def test_how_long_something_lasts(span: dict[str, Any], text: str) -> None:
    assert span_text(timedelta(**span)) == text


@pytest.mark.parametrize(("part", "whole", "percent"), [(1, 3, 33), (5, 4, 100), (1, 0, 0), (-1, 4, 0)])
def test_a_bar_is_between_nothing_and_full(part: int, whole: int, percent: int) -> None:
    assert percent_of(part, whole) == percent


def test_overage_comes_to_whole_cents() -> None:
    assert overage_money(3714_300_000, plan(overage_price="0.008")) == "about $29.71"


@pytest.mark.parametrize(
    ("typed", "microcredits"),
    [("1,000", 1000 * CREDIT), (" 12.5 ", 12_500_000), ("1 000", 1000 * CREDIT), ("-1", -CREDIT)],
)
def test_amounts_are_read_as_they_are_shown(typed: str, microcredits: int) -> None:
    assert credits_typed(typed) == microcredits


@pytest.mark.parametrize("typed", ["", "12,5", "1,00", ",1", "1e3", "٣", "1.", "0.0000001", "9" * 20])
def test_anything_else_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        credits_typed(typed)


def test_refusals_and_keys_read_like_language() -> None:
    assert sentence("must be more than 0") == "Must be more than 0."
    assert named("hourly-brake") == "Hourly brake"
