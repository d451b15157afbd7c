"""A charge explained adds up to the charge."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from kernel.units import format_credits
from kernel.usage import FIELDS, Usage
from plans.breakdown import as_credits, breakdown
from plans.rating import rate
from plans.terms import RateCardTerms
from tests.plans.test_rating import CHAT, CREDIT, GPT, TOKENS, card, row
from tests.plans.usages import consistent_usages


def explained(rates: RateCardTerms, usage: Usage):
    found = breakdown(rates, feature_id=CHAT, model=GPT, usage=usage)
    assert found is not None
    return found


def test_each_kind_has_its_line() -> None:
    usage = Usage(input_tokens=1000, cache_read_tokens=800, output_tokens=100, web_searches=2)
    found = explained(card(row(1, action=CREDIT // 2, **TOKENS)), usage)
    assert [(line.kind, line.quantity, line.microcredits_per_million, line.credits) for line in found.lines] == [
        ("cache_read_tokens", 800, 20 * CREDIT, "0.016"),
        ("input_tokens", 200, 200 * CREDIT, "0.04"),
        ("output_tokens", 100, 800 * CREDIT, "0.08"),
        ("web_searches", 2, None, "0"),
    ]
    assert (found.action_microcredits, found.exact_credits, found.microcredits) == (500_000, "0.636", 636_000)
    assert not found.minimum_applies


def test_the_minimum_is_said_where_it_decides() -> None:
    for minimum, applies in ((CREDIT, True), (200_000, False), (100_000, False)):
        found = explained(card(row(1, minimum=minimum, **TOKENS)), Usage(input_tokens=1000))
        assert found.minimum_applies is applies


def test_an_unrated_action_has_no_breakdown() -> None:
    assert breakdown(card(row(1, model=99)), feature_id=CHAT, model=GPT, usage=Usage()) is None


def test_amounts_are_written_exactly_and_short() -> None:
    assert [as_credits(amount) for amount in (0, 1, 10**12, 15 * 10**11, 10**13, 10**24)] == [
        "0", "0.000000000001", "1", "1.5", "10", "1000000000000",
    ]  # fmt: skip


@given(consistent_usages(), st.dictionaries(st.sampled_from(FIELDS), st.integers(0, 10**13)), st.integers(0, 10**12))
def test_the_lines_add_up(usage: Usage, prices: dict[str, int], action: int) -> None:
    rates = card(row(1, action=action, **prices))
    found = explained(rates, usage)
    total = Fraction(format_credits(action)) + sum(Fraction(line.credits) for line in found.lines)
    assert total == Fraction(found.exact_credits)
    charge = rate(rates, feature_id=CHAT, model=GPT, usage=usage)
    assert charge is not None
    assert charge.microcredits == found.microcredits == -(-total * CREDIT // 1)
