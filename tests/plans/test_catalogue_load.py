"""The catalogue as the gate loads it: one statement, equal to the rows."""

from datetime import UTC, datetime, timedelta

import psycopg
from django.db import connection

from kernel.usage import Usage
from plans.catalogue import Catalogue, load
from plans.models import PlanVersion, RateCardVersion, TokenRate
from plans.rating import rate
from plans.services.candidates import plan_terms, rate_card_terms
from plans.services.publishing import new_plan_draft, retire_plan_version
from tests.plans.conftest import NOON


def loaded() -> Catalogue:
    with connection.cursor() as cursor:
        return load(cursor)


def test_an_empty_database_is_an_empty_catalogue(db: None) -> None:
    catalogue = loaded()
    assert (catalogue.features, catalogue.plans, catalogue.rate_cards) == ({}, {}, {})
    assert catalogue.resolve_model("gpt-5") is None


def test_published_versions_load_as_the_rows_say(on_sale: PlanVersion, card_version: RateCardVersion) -> None:
    catalogue = loaded()
    assert catalogue.plans == {on_sale.pk: plan_terms(on_sale)}
    assert catalogue.rate_cards == {card_version.card_id: (rate_card_terms(card_version),)}
    plan = catalogue.plans[on_sale.pk]
    assert (plan.price, plan.currency, plan.overage_price) == ("29", "USD", "0.012")
    assert (plan.included_microcredits, plan.rollover_max_microcredits) == (1_000_000_000, 250_500_000)
    assert plan.spend_cap_microcredits == 500_000_000
    assert [model.key for model in plan.fallbacks] == ["gpt-5-mini"]
    assert {catalogue.features_by_id[key].key for key in plan.entitlements} == {"chat", "seats", "sso"}
    assert plan.entitlements[catalogue.features["seats"].id].config == {"included": 5}
    limits = {limit.key: limit for limit in plan.limits}
    assert limits["run-cost"].value == 2_500_000_000
    assert limits["daily"].warn_at_percent == (80, 95)
    card = catalogue.rate_cards[plan.rate_card_id][0]
    assert card.effective_from == datetime(2026, 1, 1, tzinfo=UTC)
    assert card.increment == 1000


def test_drafts_are_not_in_it_and_retired_versions_are(on_sale: PlanVersion) -> None:
    draft = new_plan_draft(on_sale.plan_id)
    retire_plan_version(on_sale.pk, now=NOON)
    plans = loaded().plans
    assert draft.pk not in plans
    assert plans[on_sale.pk].status == "retired"


def test_what_is_loaded_rates_and_resolves(on_sale: PlanVersion) -> None:
    catalogue = loaded()
    model = catalogue.resolve_model("openai/gpt-5-2025-08-07")
    card = catalogue.rate_card(on_sale.rate_card_id, NOON)
    assert model is not None
    assert (model.key, model.tier_key) == ("gpt-5", "premium")
    assert card is not None
    chat = catalogue.features["chat"].id
    # 0.5 + 2000 × 1000/M + 2 searches × 2
    charge = rate(card, feature_id=chat, model=model, usage=Usage(input_tokens=2000, web_searches=2))
    assert charge is not None
    assert charge.microcredits == 6_500_000
    assert catalogue.resolve_model("big") == model
    assert catalogue.resolve_model("gpt-5-chat-latest") == model
    assert catalogue.resolve_model("gpt-5-nano") is None
    assert catalogue.rate_card(on_sale.rate_card_id, datetime(2025, 12, 31, tzinfo=UTC)) is None


def test_the_revision_is_of_the_same_snapshot(on_sale: PlanVersion) -> None:
    before = loaded().revision
    retire_plan_version(on_sale.pk, now=NOON + timedelta(days=1))
    assert loaded().revision > before


def test_the_largest_price_each_does_not_overflow(drafts: PlanVersion) -> None:
    """A rate per one is multiplied by a million to be per million: past what a bigint holds."""
    TokenRate.objects.filter(kind="web_searches").update(microcredits=9_000_000_000_000_000)
    RateCardVersion.objects.update(status="published", published_at=NOON)
    (card,) = loaded().rate_cards[drafts.rate_card_id]
    assert max(row.per_million.get("web_searches", 0) for row in card.rates) == 9 * 10**21


def test_any_cursor_will_do(transactional_db: None) -> None:
    settings = connection.get_connection_params()
    with psycopg.connect(
        host=settings["host"], port=settings.get("port"), dbname=settings["dbname"], user=settings["user"],
        password=settings.get("password"),
    ) as plain, plain.cursor() as cursor:  # fmt: skip
        assert load(cursor).plans == {}
