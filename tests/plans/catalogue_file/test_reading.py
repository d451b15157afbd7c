"""Catalogue files as text: exact numbers, and every mistake with its place."""

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plans.catalogue_file.problems import CatalogueFileInvalid
from plans.catalogue_file.reading import read_catalogue
from plans.catalogue_file.spec import CatalogueSpec
from plans.catalogue_file.writing import write_catalogue
from tests.plans.catalogue_text import SMALL

PACK = """
top_up_packs:
  a:
    name: A
    price: 49 USD
    credits: %s
"""


@pytest.mark.parametrize(
    ("written", "microcredits"),
    [
        ("1000", 1_000_000_000),
        ("1000.5", 1_000_500_000),
        # As floats these would be 0.30000000000000004 and 1000.0000010000001.
        ("0.3", 300_000),
        ("1000.000001", 1_000_000_001),
        ('"0.000001"', 1),
        (".5", 500_000),
        ("010", 10_000_000),
    ],
)
def test_credits_are_read_exactly(written: str, microcredits: int) -> None:
    assert read_catalogue(PACK % written).top_up_packs["a"].credits.content == microcredits


NOT_CREDITS = "0.0000001 -1 1_000 1,000 .inf .nan true null 9000000001 1e99 0x10 ten [1] 1.000.000"


@pytest.mark.parametrize("written", NOT_CREDITS.split())
def test_other_credits_are_refused(written: str) -> None:
    with pytest.raises(CatalogueFileInvalid, match=r"^top_up_packs\.a\.credits: "):
        read_catalogue(PACK % written)


@pytest.mark.parametrize(
    "price", ["49", "49  USD", "USD 49", "49 usd", "-49 USD", "49.1234567 USD", "[49, USD]", "{amount: 49}"]
)
def test_other_prices_are_refused(price: str) -> None:
    with pytest.raises(CatalogueFileInvalid, match=r"^top_up_packs\.a\.price: "):
        read_catalogue(f"top_up_packs: {{a: {{name: A, credits: 1, price: {price}}}}}")


def test_a_day_is_its_first_instant_in_utc() -> None:
    text = "rate_cards: {s: {name: S, versions: [{number: 1, from: %s}]}}"
    start = datetime(2026, 3, 1, tzinfo=UTC)
    for written in ("2026-03-01", "2026-03-01T00:00:00Z", '"2026-03-01T01:00:00+01:00"', "2026-03-01T01:00:00+01:00"):
        assert read_catalogue(text % written).rate_cards["s"].versions[0].start == start


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("shop: {}", "shop: there is no such section; there are features, tiers"),
        ("features: [chat]", "features: must be a mapping of keys"),
        ("- features", "the file must be a mapping"),
        ("features: {Chat: {name: C}}", "features.Chat: a key is lower-case letters"),
        ("features: {chat: {nmae: C}}", "features.chat: Object contains unknown field `nmae`"),
        ("features: {chat: {}}", "features.chat: Object missing required field `name`"),
        ("features: {chat: {name: C, kind: meterd}}", "features.chat.kind: Invalid enum value 'meterd'"),
        ("features: {chat: {name: 3}}", "features.chat.name: Expected `str`, got `int`"),
        (
            "plans: {pro: {name: P, rate_card: s, entitlements: [{feature: a}, {feature: b}, {feature: 3}]}}",
            "plans.pro.entitlements[2].feature: Expected `str`, got `int`",
        ),
        (
            "plans: {pro: {name: P, rate_card: s, limits: [{key: a, unit: call, window: day, value: 1}]}}",
            "plans.pro.limits[0].unit: Invalid enum value 'call'",
        ),
        ("features: {chat: {name: A}, chat: {name: B}}", "line 1, column 29: 'chat' is written twice"),
        ("features: {1: {name: A}}", "line 1, column 12: the key 1 is not text"),
        ("features: {chat: {name: &a C}, x: {name: *a}}", "line 1, column 42: aliases (*) are not read here"),
        ("features: {", "line 1, column 12: "),
        ("features: {a: !!python/object/apply:os.system [ls]}", "could not determine a constructor"),
        ("rate_cards: {s: {name: S, versions: [{number: 1, from: 2026-13-01}]}}", "is not an RFC 3339 time"),
        ("rate_cards: {s: {name: S, versions: [{number: 1, from: 2026-01-01T00:00:00}]}}", "has no time zone"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, fault: str) -> None:
    with pytest.raises(CatalogueFileInvalid) as refusal:
        read_catalogue(text)
    assert fault in refusal.value.faults[0]


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(CatalogueFileInvalid) as refusal:
        read_catalogue("features: {a: {name: 1}, b: {name: 2}}\nshop: 1\ntiers: 3")
    assert len(refusal.value.faults) == 4


@pytest.mark.parametrize("text", ["", "# nothing", "features:"])
def test_an_empty_file_says_nothing(text: str) -> None:
    assert read_catalogue(text) == CatalogueSpec()


def test_no_and_off_are_text_and_numbers_keep_their_zeros() -> None:
    spec = read_catalogue(
        "features: {no: {name: no, description: off}}\nmodels: {1.0x: {name: M, provider: p, tier: t}}"
    )
    assert spec.features["no"].description == "off"
    assert list(spec.models) == ["1.0x"]


def test_a_deep_or_huge_file_is_refused() -> None:
    with pytest.raises(CatalogueFileInvalid, match="not YAML"):
        read_catalogue("[" * 5000)
    with pytest.raises(CatalogueFileInvalid, match="larger than"):
        read_catalogue("# " + "x" * 5_000_000)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Never another exception: the command would show a traceback."""
    with suppress(CatalogueFileInvalid):
        read_catalogue(text)


def test_what_is_written_reads_back_equal() -> None:
    spec = read_catalogue(SMALL)
    assert read_catalogue(write_catalogue(spec)) == spec


@given(st.integers(0, 9_000_000_000_000_000), st.decimals(0, 99_999_999_999, places=3))
def test_any_amount_reads_back_equal(microcredits: int, price: Decimal) -> None:
    credits = f"{microcredits // 1_000_000}.{microcredits % 1_000_000:06d}"
    spec = read_catalogue(f"top_up_packs: {{a: {{name: A, credits: {credits}, price: {price} USD}}}}")
    pack = read_catalogue(write_catalogue(spec)).top_up_packs["a"]
    assert pack.credits.content == microcredits
    assert pack.price.amount == price


def test_it_reads_well() -> None:
    written = write_catalogue(read_catalogue(SMALL))
    assert "  chat: {name: Chat}\n" in written
    assert "        from: 2026-01-01\n" in written
    assert "          - {tier: economy, per_1M: {input_tokens: 100, output_tokens: 400}}\n" in written
    assert "    allowance: {credits: 1000, rollover_max: 250.5}\n" in written
    assert "    price: 29 USD\n" in written
