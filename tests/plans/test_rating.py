"""What actions cost, worked out by hand, and against exact fractions."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.usage import FIELDS, PARENT, Usage, split
from plans.rating import Charge, rate
from plans.terms import ModelTerms, RateCardTerms, RateTerms
from tests.plans.usages import consistent_usages

CREDIT = 1_000_000
CHAT, AGENT = 1, 2
GPT = ModelTerms(id=10, key="gpt-5-mini", provider="openai", tier_id=1, tier_key="economy", tier_rank=10)
OPUS = ModelTerms(id=11, key="claude-opus-4-6", provider="anthropic", tier_id=3, tier_key="premium", tier_rank=30)


def row(number: int, *, feature=None, model=None, tier=None, action=0, minimum=0, **per_million: int) -> RateTerms:
    return RateTerms(number, feature, model, tier, action, minimum, per_million)


def card(*rows: RateTerms, rounding: str = "up", increment: int = 1) -> RateCardTerms:
    return RateCardTerms(1, 1, "standard", 1, datetime(2026, 1, 1, tzinfo=UTC), rounding, increment, rows)


def microcredits(rates: RateCardTerms, usage: Usage, *, feature: int = CHAT, model: ModelTerms | None = GPT) -> int:
    charge = rate(rates, feature_id=feature, model=model, usage=usage)
    assert charge is not None
    return charge.microcredits


# 200 credits per million input, 20 per million cached, 800 per million output.
TOKENS = {"input_tokens": 200 * CREDIT, "cache_read_tokens": 20 * CREDIT, "output_tokens": 800 * CREDIT}


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        # 1000 × 200/M = 0.2
        (Usage(input_tokens=1000), 200_000),
        # 200 plain × 200/M + 800 cached × 20/M + 100 × 800/M = 0.04 + 0.016 + 0.08
        (Usage(input_tokens=1000, cache_read_tokens=800, output_tokens=100), 136_000),
        # Cache writes and audio have no rate here: they are input. Reasoning has none: it is output.
        (Usage(input_tokens=1000, cache_write_5m_tokens=400, input_audio_tokens=300), 200_000),
        (Usage(output_tokens=100, reasoning_tokens=90), 80_000),
        # Cached audio is a cache read before it is input: 500 × 20/M + 500 × 200/M.
        (
            Usage(input_tokens=1000, cache_read_tokens=500, input_audio_tokens=1000, cache_read_audio_tokens=500),
            110_000,
        ),
        # Nothing used, nothing charged; a count with neither rate nor parent is free.
        (Usage(), 0),
        (Usage(web_searches=3), 0),
    ],
)
def test_tokens_are_charged_by_kind(usage: Usage, expected: int) -> None:
    assert microcredits(card(row(1, **TOKENS)), usage) == expected


def test_the_action_price_is_added_to_the_tokens() -> None:
    rates = card(row(1, action=500_000, web_searches=1_000_000 * CREDIT, **TOKENS))
    # 0.5 + 0.2 + 2 searches × 1
    assert microcredits(rates, Usage(input_tokens=1000, web_searches=2)) == 2_700_000


@pytest.mark.parametrize(
    ("rows", "feature", "model", "chosen"),
    [
        ("abcdef", CHAT, OPUS, "a"),
        ("bcdef", CHAT, OPUS, "b"),
        ("cdef", CHAT, OPUS, "c"),
        ("def", CHAT, OPUS, "d"),
        ("ef", CHAT, OPUS, "e"),
        ("f", CHAT, OPUS, "f"),
        # Another feature sees only the rows that name none.
        ("abcdef", AGENT, OPUS, "d"),
        # Another model of another tier: only rows that name neither.
        ("abcdef", CHAT, GPT, "c"),
        ("abdef", CHAT, GPT, "f"),
        # No model: rows about models and tiers do not apply.
        ("abcdef", CHAT, None, "c"),
        ("abdef", CHAT, None, "f"),
        # A row for another feature is no row for this one.
        ("abc", AGENT, OPUS, None),
        ("de", CHAT, None, None),
        ("", CHAT, GPT, None),
    ],
)
def test_the_most_specific_row_prices_the_whole_event(
    rows: str, feature: int, model: ModelTerms | None, chosen: str | None
) -> None:
    by_letter = {
        "a": row(1, feature=CHAT, model=OPUS.id, action=1),
        "b": row(2, feature=CHAT, tier=OPUS.tier_id, action=2),
        "c": row(3, feature=CHAT, action=3),
        "d": row(4, model=OPUS.id, action=4),
        "e": row(5, tier=OPUS.tier_id, action=5),
        "f": row(6, action=6),
    }
    charge = rate(card(*(by_letter[letter] for letter in rows)), feature_id=feature, model=model, usage=Usage())
    expected = by_letter[chosen] if chosen else None
    assert charge == (expected and Charge(expected.action_microcredits, expected.id))


def test_a_less_specific_row_does_not_fill_in_what_the_chosen_one_leaves_out() -> None:
    rates = card(row(1, feature=CHAT, action=CREDIT), row(2, **TOKENS))
    assert microcredits(rates, Usage(input_tokens=1_000_000)) == CREDIT


@pytest.mark.parametrize(
    ("rounding", "expected"),
    # 1.5, 2.5, 1.4, 1.6 and 3 whole credits, rounded to whole credits.
    [
        ("up", [2, 3, 2, 2, 3]),
        ("down", [1, 2, 1, 1, 3]),
        ("half_up", [2, 3, 1, 2, 3]),
        ("half_even", [2, 2, 1, 2, 3]),
    ],
)
def test_rounding_is_as_the_card_says(rounding: str, expected: list[int]) -> None:
    rates = card(row(1, input_tokens=CREDIT), rounding=rounding, increment=CREDIT)
    inputs = [1_500_000, 2_500_000, 1_400_000, 1_600_000, 3_000_000]
    assert [microcredits(rates, Usage(input_tokens=tokens)) // CREDIT for tokens in inputs] == expected


def test_the_sum_is_rounded_not_its_parts() -> None:
    # Each part is 0.4 of a microcredit: rounded apart they would be 0 or 2, together they are 0.8 → 1.
    rates = card(row(1, input_tokens=400, output_tokens=400), rounding="half_up")
    assert microcredits(rates, Usage(input_tokens=1000, output_tokens=1000)) == 1


@pytest.mark.parametrize(
    ("minimum", "increment", "tokens", "expected"),
    [
        (250_000, 1, 0, 250_000),
        (250_000, 1, 1_250, 250_000),
        (250_000, 1, 2_000, 400_000),
        # A quarter of a credit cannot be sold where whole ones are: the least is one.
        (250_000, CREDIT, 0, CREDIT),
        (250_000, 100_000, 0, 300_000),
        (3 * CREDIT, CREDIT, 5_000, 3 * CREDIT),
    ],
)
def test_an_action_is_never_charged_less_than_the_minimum(
    minimum: int, increment: int, tokens: int, expected: int
) -> None:
    rates = card(row(1, minimum=minimum, **TOKENS), increment=increment)
    assert microcredits(rates, Usage(input_tokens=tokens)) == expected


def test_a_model_that_moved_to_another_tier_is_rated_by_its_new_tier() -> None:
    rates = card(row(1, tier=1, action=1), row(2, tier=3, action=3))
    moved = ModelTerms(GPT.id, GPT.key, GPT.provider, tier_id=3, tier_key="premium", tier_rank=30)
    assert (microcredits(rates, Usage(), model=GPT), microcredits(rates, Usage(), model=moved)) == (1, 3)


kinds = st.sampled_from(FIELDS)
price_lists = st.dictionaries(kinds, st.integers(0, 10**13))


@given(
    usage=consistent_usages(),
    prices=price_lists,
    action=st.integers(0, 10**12),
    minimum=st.integers(0, 10**9),
    increment=st.sampled_from([1, 7, 1000, CREDIT]),
    rounding=st.sampled_from(["up", "down", "half_up", "half_even"]),
)
def test_charges_equal_exact_fractions(
    usage: Usage, prices: dict[str, int], action: int, minimum: int, increment: int, rounding: str
) -> None:
    exact = action + sum(
        Fraction(prices.get(kind, 0) * count, 1_000_000) for kind, count in split(usage, prices).items()
    )
    steps = exact / increment
    below = steps.__floor__()
    rounded = {
        "up": steps.__ceil__(),
        "down": below,
        "half_up": below + (steps - below >= Fraction(1, 2)),
        "half_even": round(steps),
    }[rounding]
    least = Fraction(minimum, increment).__ceil__()
    rates = card(row(1, action=action, minimum=minimum, **prices), rounding=rounding, increment=increment)
    assert microcredits(rates, usage) == max(rounded, least) * increment


@given(usage=consistent_usages(), prices=price_lists, kind=st.sampled_from(sorted(PARENT)))
def test_pricing_a_part_like_its_whole_changes_nothing(usage: Usage, prices: dict[str, int], kind: str) -> None:
    """A kind without a rate is charged at its parent's: naming that rate for it says the same thing."""
    parents = [PARENT[kind]]
    while parents[-1] not in prices and parents[-1] in PARENT:
        parents.append(PARENT[parents[-1]])
    without = {name: price for name, price in prices.items() if name != kind}
    same = without | {kind: prices.get(parents[-1], 0)}
    assert microcredits(card(row(1, **without)), usage) == microcredits(card(row(1, **same)), usage)


def test_a_card_version_is_picked_by_instant() -> None:
    from plans.catalogue import Catalogue

    start = datetime(2026, 3, 1, tzinfo=UTC)
    first = RateCardTerms(1, 5, "standard", 1, start, "up", 1, ())
    second = RateCardTerms(2, 5, "standard", 2, start + timedelta(days=10), "up", 1, ())
    catalogue = Catalogue(rate_cards=[second, first])
    instant = timedelta(microseconds=1)
    assert catalogue.rate_card(5, start - instant) is None
    assert catalogue.rate_card(5, start) is first
    assert catalogue.rate_card(5, second.effective_from - instant) is first
    assert catalogue.rate_card(5, second.effective_from) is second
    assert catalogue.rate_card(5, start + timedelta(days=999)) is second
    assert catalogue.rate_card(6, start) is None
