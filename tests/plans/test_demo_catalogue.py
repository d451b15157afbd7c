"""The catalogue the demo company sells: it publishes, shows every architecture, and prices real ids."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from genai_prices import Usage as SupplierUsage
from genai_prices import calc_price

from demo.seeding import ACKNOWLEDGED
from kernel.usage import Usage
from plans.catalogue import Catalogue, load
from plans.catalogue_file.applying import apply_catalogue
from plans.catalogue_file.checking import check, model_names
from plans.catalogue_file.reading import read_catalogue
from plans.catalogue_file.spec import CatalogueSpec
from plans.model_names import ModelNames
from plans.rating import rate
from plans.terms import PlanTerms
from tests.conftest import needs_shared

FILE = Path(__file__).parents[2] / "demo/catalogue.yaml"
SPEC = read_catalogue(FILE.read_text())
NOON = datetime(2026, 11, 15, 12, 0, tzinfo=UTC)
CENT = Decimal("0.01")
"""What a credit sells for, about."""


@pytest.fixture
def catalogue(db: None) -> Catalogue:
    apply_catalogue(FILE.read_text(), publish=True, now=NOON, acknowledged=ACKNOWLEDGED)
    with connection.cursor() as cursor:
        return load(cursor)


def plan(catalogue: Catalogue, key: str) -> PlanTerms:
    return next(terms for terms in catalogue.plans.values() if terms.plan_key == key)


def test_it_fits_together() -> None:
    check(SPEC, CatalogueSpec(), settings.CURRENCIES)


def test_it_publishes_and_applies_once(catalogue: Catalogue) -> None:
    assert {terms.status for terms in catalogue.plans.values()} == {"published"}
    assert apply_catalogue(FILE.read_text(), publish=True, now=NOON, acknowledged=ACKNOWLEDGED) == []


def test_it_publishes_on_any_day_since_the_first_prices(db: None) -> None:
    apply_catalogue(FILE.read_text(), publish=True, now=datetime(2024, 1, 1, tzinfo=UTC), acknowledged=ACKNOWLEDGED)


def test_it_shows_the_three_architectures(catalogue: Catalogue) -> None:
    usage, subscription, tiered = (plan(catalogue, key) for key in ("pay-as-you-go", "pro", "team"))
    chat = catalogue.features["chat"].id
    assert (usage.price, usage.included_microcredits, usage.entitlements[chat].at_limit) == ("0", 0, "overage")
    assert usage.overage_price is not None
    assert subscription.included_microcredits > 0
    assert {right.at_limit for right in subscription.entitlements.values()} == {"deny"}
    assert any(limit.kind == "hard" for limit in subscription.limits)
    assert tiered.entitlements[chat].at_limit == "downgrade"
    ranks = [model.tier_rank for model in tiered.fallbacks]
    assert len(ranks) > 1
    assert ranks == sorted(ranks, reverse=True)


def test_every_metered_feature_has_a_price_on_every_model_a_plan_allows(catalogue: Catalogue) -> None:
    for terms in catalogue.plans.values():
        card = catalogue.rate_card(terms.rate_card_id, NOON)
        assert card is not None
        for right in terms.entitlements.values():
            if catalogue.features_by_id[right.feature_id].kind != "metered":
                continue
            for model in catalogue.models.values():
                if right.max_rank is None or model.tier_rank <= right.max_rank:
                    charge = rate(card, feature_id=right.feature_id, model=model, usage=Usage(input_tokens=1000))
                    assert charge is not None, (terms.plan_key, right, model.key)
                    assert charge.microcredits > 0


@pytest.mark.parametrize("key", SPEC.models)
def test_every_model_has_a_supplier_price_below_what_it_sells_for(key: str) -> None:
    """The ids are those of the default cost catalogue, and a credit covers what it costs on every one."""
    model = SPEC.models[key]
    usage = SupplierUsage(input_tokens=10_000, output_tokens=2_000)
    cost = calc_price(usage, model_ref=key, provider_id=model.provider, genai_request_timestamp=NOON).total_price
    for card in SPEC.rate_cards.values():
        newest = max((version for version in card.versions if version.start <= NOON), key=lambda version: version.start)
        rows = {(row.feature, row.model, row.tier): row for row in newest.rates}
        row = rows.get((None, key, None)) or rows[None, None, model.tier]
        per_million = {kind: Decimal(price.content) for kind, price in row.per_1m.items()}
        sold = (per_million["input_tokens"] * 10_000 + per_million["output_tokens"] * 2_000) / 10**12 * CENT
        assert 0 < cost < sold, f"{key} on {card.name}: costs {cost}, sells for {sold}"


def test_recorded_ids_find_the_right_model() -> None:
    names = ModelNames(model_names(SPEC))
    with needs_shared("data/usage_payloads/real_usages.jsonl").open() as lines:
        recorded = {model for line in lines if (model := json.loads(line).get("model"))}
    found = {model: names.resolve(model) for model in recorded}
    expected = {
        "anthropic/claude-4.6-sonnet-20260217": "claude-sonnet-4-6",
        "claude-sonnet-4-5-20250929": "claude-sonnet-4-5",
        "claude-haiku-4-5-20251001": "claude-haiku-4-5",
        "gpt-4o-mini-2024-07-18": "gpt-4o-mini",
        "gpt-4o-2024-08-06": "gpt-4o",
        "gpt-5-mini-2025-08-07": "gpt-5-mini",
        "gpt-5-pro-2025-10-06": "gpt-5-pro",
        "openai.gpt-5.6-luna": "gpt-5.6-luna",
        "openai/gpt-5.6-sol": "gpt-5.6-sol",
        "gpt-oss-120b": "gpt-oss-120b",
        "deepseek-v4-flash": "deepseek-flash",
        "mistral-medium-latest": "mistral-medium-latest",
        "llama-3.3-70b": "llama-3.3-70b-versatile",
        "meta-llama/llama-4-maverick-17b-128e-instruct": "meta-llama/llama-4-maverick-17b-128e-instruct",
        "google/gemini-2.5-flash-lite": "gemini-2.5-flash-lite",
        # Sold by nobody here: unpriced, never somebody else's price.
        "gpt-4o-audio-preview-2024-12-17": None,
        "gpt-4.1-nano-2025-04-14": None,
        "gpt-5.1-codex-mini": None,
        "claude-sonnet-5": None,
        "o3-mini-2025-01-31": None,
        "qwen/qwen3-32b": None,
    }
    assert {model: found.get(model) for model in expected} == expected
