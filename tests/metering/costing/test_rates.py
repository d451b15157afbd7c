"""Exact costing: one multiplication per kind, one rounding per event, nothing priced at zero by assumption."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.usage import FIELDS, PARENT, Usage, split
from metering.costing.rates import KINDS, CostRates, Steps, cost, flat, usd_per_million


def rates(minimums: dict[str, int] | None = None, **usd: str | Steps) -> CostRates:
    """Rates in dollars per million units, or as steps."""
    prices = {kind: flat(usd_per_million(rate)) if isinstance(rate, str) else rate for kind, rate in usd.items()}
    return CostRates("test", prices, minimums)


CHAT = rates(input_tokens="2", cache_read_tokens="0.2", output_tokens="8")


def test_the_worked_example() -> None:
    usage = Usage(input_tokens=1000, cache_read_tokens=800, output_tokens=100)
    assert cost(usage, CHAT) == 1_360_000, "0.00136 dollars"


def test_nothing_used_costs_nothing() -> None:
    assert cost(Usage(), CHAT) == 0


def test_a_kind_without_a_rate_costs_its_parents() -> None:
    usage = Usage(
        input_tokens=100,
        cache_write_1h_tokens=10,
        cache_write_5m_tokens=10,
        input_audio_tokens=5,
        output_tokens=50,
        reasoning_tokens=40,
    )
    assert cost(usage, CHAT) == 100 * 2_000 + 50 * 8_000
    writes = rates(input_tokens="2", cache_write_5m_tokens="2.5", output_tokens="8")
    assert cost(usage, writes) == 80 * 2_000 + 20 * 2_500 + 50 * 8_000, "an hour's writes are writes"


def test_every_kind_at_its_own_rate_is_counted_once() -> None:
    card = rates(
        input_tokens="1",
        cache_read_tokens="0.1",
        cache_write_5m_tokens="1.25",
        cache_write_1h_tokens="2",
        input_audio_tokens="10",
        cache_read_audio_tokens="3",
        output_tokens="5",
        reasoning_tokens="6",
        output_image_tokens="30",
        web_searches="10000",
        requests="5000",
    )
    usage = Usage(
        input_tokens=1000,
        cache_read_tokens=300,
        cache_read_audio_tokens=100,
        cache_write_5m_tokens=40,
        cache_write_1h_tokens=20,
        input_audio_tokens=250,
        output_tokens=90,
        reasoning_tokens=30,
        output_image_tokens=50,
        web_searches=2,
    )
    by_hand = (
        490 * 1_000  # text: 1000 - 300 cached - 60 written - 150 uncached audio
        + 200 * 100
        + 100 * 3_000
        + 40 * 1_250
        + 20 * 2_000
        + 150 * 10_000
        + 10 * 5_000
        + 30 * 6_000
        + 50 * 30_000
        + 2 * 10_000_000
        + 5_000_000
    )
    assert cost(usage, card) == by_hand


@pytest.mark.parametrize(
    ("usage", "unpriced"),
    [
        (Usage(input_tokens=10), False),
        (Usage(input_tokens=10, output_tokens=1), True),
        (Usage(input_tokens=10, web_searches=1), True),
        (Usage(input_tokens=10, audio_milliseconds=1), True),
        (Usage(input_tokens=10, document_pages=1), True),
    ],
)
def test_what_has_no_rate_leaves_the_event_unpriced(usage: Usage, unpriced: bool) -> None:
    embedding = rates(input_tokens="0.13")
    assert cost(usage, embedding) == (None if unpriced else 1_300)


def test_a_zero_rate_is_a_price() -> None:
    free = rates(input_tokens="0", output_tokens="0", web_searches="0")
    assert cost(Usage(input_tokens=9, output_tokens=9, web_searches=9), free) == 0


def test_output_without_a_rate_is_priced_when_all_of_it_has_its_own() -> None:
    images_only = rates(input_tokens="1", output_image_tokens="30")
    assert cost(Usage(input_tokens=1, output_tokens=10, output_image_tokens=10), images_only) == 301_000
    assert cost(Usage(input_tokens=1, output_tokens=11, output_image_tokens=10), images_only) is None


def test_cached_audio_of_a_model_without_a_cache_rate_is_audio() -> None:
    card = rates(input_tokens="1", input_audio_tokens="10", output_tokens="1")
    usage = Usage(input_tokens=100, cache_read_tokens=60, input_audio_tokens=80, cache_read_audio_tokens=50)
    assert cost(usage, card) == 80 * 10_000 + 20 * 1_000


@pytest.mark.parametrize(
    ("input_tokens", "expected"),
    [
        (200_000, 200_000 * 1_250 + 10_000),
        (200_001, 200_001 * 2_500 + 15_000),
        (500_000, 500_000 * 2_500 + 15_000),
        (1_000_001, 1_000_001 * 4_000 + 15_000),
    ],
)
def test_a_context_step_prices_the_whole_call_once_it_is_exceeded(input_tokens: int, expected: int) -> None:
    card = rates(
        input_tokens=((0, Fraction(1_250)), (200_000, Fraction(2_500)), (1_000_000, Fraction(4_000))),
        output_tokens=((0, Fraction(10_000)), (200_000, Fraction(15_000))),
    )
    assert cost(Usage(input_tokens=input_tokens, output_tokens=1), card) == expected


def test_cached_tokens_count_towards_the_step() -> None:
    card = rates(
        input_tokens=((0, Fraction(1)), (200_000, Fraction(2))),
        cache_read_tokens=flat(Fraction(1, 10)),
        output_tokens="0",
    )
    assert cost(Usage(input_tokens=200_001, cache_read_tokens=200_000), card) == 2 + 20_000


@pytest.mark.parametrize(("tokens", "nanousd"), [(1, 0), (2, 1), (3, 2), (4, 2), (5, 2), (6, 3), (7, 4)], ids=str)
def test_half_a_nanodollar_rounds_to_even(tokens: int, nanousd: int) -> None:
    half = rates(input_tokens=flat(Fraction(1, 2)))
    assert cost(Usage(input_tokens=tokens), half) == nanousd


def test_rates_that_are_no_whole_nanodollars_stay_exact_until_the_end() -> None:
    third = rates(input_tokens="0.0833333333333333", audio_milliseconds=flat(Fraction(40_000_000, 3_600_000)))
    assert cost(Usage(input_tokens=12_000_000), third) == 1_000_000_000, "not 12 million times 83 nano-USD"
    assert cost(Usage(audio_milliseconds=3_600_000), third) == 40_000_000, "an hour is not 3.6 million roundings"


def test_a_minimum_applies_once_there_is_any() -> None:
    whisper = rates({"audio_milliseconds": 10_000}, audio_milliseconds="1000")
    assert cost(Usage(audio_milliseconds=1), whisper) == 10_000 * 1_000_000
    assert cost(Usage(audio_milliseconds=10_001), whisper) == 10_001 * 1_000_000
    assert cost(Usage(), whisper) == 0


def test_a_kind_nobody_counts_cannot_be_priced() -> None:
    with pytest.raises(ValueError, match="smell_tokens"):
        rates(smell_tokens="1")


@st.composite
def consistent_usages(draw: st.DrawFn) -> Usage:
    """Usages whose parts fit their wholes, with anything in them."""
    parts = {name: draw(st.integers(0, 1_000_000)) for name in FIELDS}
    parts["cache_read_tokens"] += parts["cache_read_audio_tokens"] + parts["cache_read_image_tokens"]
    parts["input_audio_tokens"] += parts["cache_read_audio_tokens"]
    parts["input_image_tokens"] += parts["cache_read_image_tokens"]
    for child, parent in PARENT.items():
        if parent in ("input_tokens", "output_tokens"):
            parts[parent] += parts[child]
    parts["input_tokens"] += parts["cache_write_1h_tokens"]
    return Usage(**parts)


@given(
    usage=consistent_usages(),
    prices=st.dictionaries(st.sampled_from(sorted(KINDS)), st.fractions(0, 10**6, max_denominator=10**7)),
)
def test_the_dot_product_is_the_sum_over_disjoint_kinds(usage: Usage, prices: dict[str, Fraction]) -> None:
    """Against the plain definition, in fractions: split, multiply, add, round once."""
    # The plain definition knows nothing of inherited audio rates: leave no modality without its cache rate.
    for modality in ("audio", "image"):
        if f"input_{modality}_tokens" in prices:
            prices.setdefault("cache_read_tokens", Fraction(1))
    quantities = split(usage, prices.keys())
    if quantities.keys() - prices.keys():
        expected = None
    else:
        fee = prices.get("requests", Fraction(0))
        expected = round(sum((prices[kind] * count for kind, count in quantities.items()), fee))
    assert cost(usage, CostRates("test", {kind: flat(rate) for kind, rate in prices.items()})) == expected
