"""An operator's cost cards: above every list price, for their own dates, the most specific first."""

from datetime import UTC, datetime
from typing import Any

import pytest

from kernel.units import NanoUsd
from kernel.usage import Usage
from metering.costing import Call, CardRow, CostCatalogue, Costed, load_overrides

NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)
MILLION_IN = Usage(input_tokens=1_000_000)


def card(card_id: int, usd: int | None = 1, **parts: Any) -> list[CardRow]:
    """A card's one row: dollars per million input tokens of openai's gpt-4o, unless said otherwise."""
    row = CardRow(
        card_id=card_id,
        provider="openai",
        model="gpt-4o",
        match="equals",
        processing="",
        region="",
        effective_from=datetime(2026, 1, 1, tzinfo=UTC),
        effective_until=None,
        kind="input_tokens",
        above_input_tokens=0,
        rate_nanousd_per_million=(usd or 0) * 1_000_000_000,
    )
    return [row._replace(**parts)]


def priced_by(*cards: list[CardRow], usage: Usage = MILLION_IN, **call: Any) -> Costed:
    asked = Call("openai", "gpt-4o-2024-08-06", NOW)._replace(**call)
    return CostCatalogue(load_overrides(row for rows in cards for row in rows)).cost(usage, asked)


def test_a_card_outranks_the_list_price() -> None:
    assert priced_by() == Costed(NanoUsd(2_500_000_000), "genai-prices/0.2.3")
    assert priced_by(card(7)) == Costed(NanoUsd(1_000_000_000), "card:7")


@pytest.mark.parametrize(
    ("parts", "applies"),
    [
        ({}, True),
        ({"model": "gpt-4o-2024-08-06"}, True),
        ({"model": "GPT-4o "}, True),
        ({"model": "gpt-4", "match": "prefix"}, True),
        ({"model": "gpt-4"}, False),
        ({"model": "gpt-4o-2024-05-13"}, False),
        ({"provider": ""}, True),
        ({"provider": "azure"}, False),
        ({"processing": "standard"}, True),
        ({"processing": "batch"}, False),
        ({"region": "eu"}, False),
        ({"effective_from": NOW}, True),
        ({"effective_from": datetime(2026, 11, 15, 12, 0, 1, tzinfo=UTC)}, False),
        ({"effective_until": NOW}, False),
        ({"effective_until": datetime(2026, 11, 15, 12, 0, 1, tzinfo=UTC)}, True),
    ],
)
def test_what_a_card_is_about(parts: dict[str, Any], applies: bool) -> None:
    assert priced_by(card(7, **parts)).cost_card == ("card:7" if applies else "genai-prices/0.2.3")


def test_a_card_for_gpt_4o_is_not_about_its_dearer_snapshot() -> None:
    assert priced_by(card(7), model="gpt-4o-2024-05-13").cost_card == "genai-prices/0.2.3"


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({}, {"model": "gpt-4o-2024", "match": "prefix"}),
        ({"model": "gpt-4o-2024", "match": "prefix"}, {"model": "gpt-4", "match": "prefix"}),
        ({}, {"provider": ""}),
        ({"processing": "batch"}, {}),
        ({"region": "eu"}, {}),
        ({"effective_from": datetime(2026, 6, 1, tzinfo=UTC)}, {}),
    ],
)
def test_the_most_specific_card_wins_then_the_newest(better: dict[str, Any], worse: dict[str, Any]) -> None:
    for first, second in ((1, 2), (2, 1)):
        cards = card(first, **better), card(second, **worse)
        won = priced_by(*cards, processing="batch", region="eu")
        assert won.cost_card == f"card:{first}"


def test_a_card_prices_the_mode_and_region_as_it_stands() -> None:
    """No discount and no surcharge of the catalogue is applied to a price somebody negotiated."""
    assert priced_by(card(7), processing="batch", region="eu").nanousd == 1_000_000_000


def test_a_card_is_not_mixed_with_the_catalogue() -> None:
    usage = Usage(input_tokens=1_000_000, output_tokens=1)
    assert priced_by(card(7), usage=usage) == Costed(None, ""), "the card has no output rate: unpriced, not listed"


def test_a_cards_steps_count_input_tokens() -> None:
    steps = [*card(7), *card(7, 3, above_input_tokens=200_000)]
    assert priced_by(steps, usage=Usage(input_tokens=200_000)).nanousd == 200_000_000
    assert priced_by(steps, usage=Usage(input_tokens=200_001)).nanousd == 600_003_000


def test_a_card_prices_a_model_nobody_lists() -> None:
    own = card(7, provider="acme", model="acme-1")
    assert priced_by(own, provider="Acme", model="acme-1") == Costed(NanoUsd(1_000_000_000), "card:7")
    nameless = card(8, provider="", model="acme-", match="prefix")
    assert priced_by(nameless, provider=None, model="acme-2") == Costed(NanoUsd(1_000_000_000), "card:8")


def test_a_card_changes_the_price_from_its_first_instant_to_its_last() -> None:
    start, end = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 10, tzinfo=UTC)
    dated = card(7, effective_from=start, effective_until=end)
    cards = [priced_by(dated, at=at).cost_card for at in (start.replace(year=2025), start, end, NOW)]
    assert cards == ["genai-prices/0.2.3", "card:7", "genai-prices/0.2.3", "genai-prices/0.2.3"]


def test_a_fee_per_request_is_added_once() -> None:
    fee = [*card(7), *card(7, kind="requests", rate_nanousd_per_million=5_000_000_000_000)]
    assert priced_by(fee, usage=Usage(input_tokens=1)).nanousd == 5_001_000
