"""Drafts, publication and retirement, and everything that speaks against them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from kernel.errors import Problem
from plans import problems
from plans.catalogue_file.applying import apply_catalogue
from plans.models import PlanVersion, RateCard, RateCardVersion
from plans.services.candidates import plan_terms, rate_card_terms
from plans.services.publishing import (
    new_plan_draft,
    new_rate_card_draft,
    publish_plan_version,
    publish_rate_card_version,
    retire_plan_version,
)
from tests.plans.catalogue_text import SMALL, changed
from tests.plans.conftest import NOON


def publish_card() -> None:
    publish_rate_card_version(RateCardVersion.objects.get(status="draft").pk, now=NOON)


def test_a_draft_goes_on_sale(drafts: PlanVersion) -> None:
    publish_card()
    sold = publish_plan_version(drafts.pk, now=NOON)
    sold.refresh_from_db()
    assert (sold.status, sold.published_at) == ("published", NOON)


def test_the_next_version_takes_the_place_of_the_one_on_sale(on_sale: PlanVersion) -> None:
    draft = new_plan_draft(on_sale.plan_id)
    PlanVersion.objects.filter(pk=draft.pk).update(price=39)
    later = NOON + timedelta(days=1)
    publish_plan_version(draft.pk, now=later)
    on_sale.refresh_from_db()
    assert (on_sale.status, on_sale.retired_at) == ("retired", later)
    assert on_sale.plan.versions.get(status="published").number == 2
    assert on_sale.price.amount == 29


def test_a_new_draft_is_a_copy_with_the_next_number(on_sale: PlanVersion) -> None:
    draft = new_plan_draft(on_sale.plan_id)
    draft.refresh_from_db()
    assert (draft.number, draft.status, draft.published_at) == (2, "draft", None)
    before, after = plan_terms(on_sale), plan_terms(draft)
    assert after.entitlements == before.entitlements
    assert after.fallbacks == before.fallbacks
    assert [(limit.key, limit.value) for limit in after.limits] == [(limit.key, limit.value) for limit in before.limits]
    assert (after.price, after.overage_price, after.included_microcredits) == ("29", "0.012", 1_000_000_000)


def test_there_is_one_draft_at_a_time(on_sale: PlanVersion) -> None:
    new_plan_draft(on_sale.plan_id)
    with pytest.raises(problems.DraftExists):
        new_plan_draft(on_sale.plan_id)


def test_a_published_version_is_not_published_again(on_sale: PlanVersion) -> None:
    with pytest.raises(problems.VersionIsNotDraft):
        publish_plan_version(on_sale.pk, now=NOON)


def test_retiring_leaves_the_version_as_it_was_sold(on_sale: PlanVersion) -> None:
    before = plan_terms(on_sale)
    retire_plan_version(on_sale.pk, now=NOON)
    on_sale.refresh_from_db()
    assert (on_sale.status, on_sale.retired_at) == ("retired", NOON)
    assert plan_terms(on_sale).entitlements == before.entitlements
    with pytest.raises(problems.VersionIsNotPublished):
        retire_plan_version(on_sale.pk, now=NOON)


def test_a_draft_is_not_retired(drafts: PlanVersion) -> None:
    with pytest.raises(problems.VersionIsNotPublished):
        retire_plan_version(drafts.pk, now=NOON)


Changes = list[tuple[str, str]]
DOWNGRADE = "up_to: premium, at_limit: downgrade"

REFUSED: dict[str, tuple[Changes, type[Problem]]] = {
    "nothing is included": (
        [
            ("- {feature: chat, up_to: premium, at_limit: downgrade}", "[]"),
            ("- {feature: seats, config: {included: 5}}", ""),
            ("- {feature: sso}", ""),
            ("fallbacks: [gpt-5-mini]", ""),
            ("scope: run, feature: chat", "scope: run"),
        ],
        problems.PlanHasNoEntitlements,
    ),
    "a fallback above every tier": (
        [(DOWNGRADE, "up_to: economy"), ("fallbacks: [gpt-5-mini]", "fallbacks: [gpt-5]")],
        problems.FallbackNotEntitled,
    ),
    "a downgrade to nowhere": ([("fallbacks: [gpt-5-mini]", "")], problems.DowngradeWithoutFallback),
    "overage without a price": (
        [
            ("price: 0.012 USD, spend_cap: 500, invoice_at: 250", "spend_cap: 500"),
            ("at_limit: downgrade", "at_limit: overage"),
        ],
        problems.OverageWithoutPrice,
    ),
    "a static feature without a value": ([(", config: {included: 5}", "")], problems.EntitlementValue),
    "a switch with a value": ([("{feature: sso}", "{feature: sso, config: 3}")], problems.EntitlementValue),
    "a switch with a tier": ([("{feature: sso}", "{feature: sso, up_to: premium}")], problems.EntitlementValue),
    "a limit on a feature that is not metered": (
        [("{key: daily, unit", "{key: daily, feature: sso, unit")],
        problems.LimitCoversNothing,
    ),
    "a limit on a tier out of reach": (
        [(DOWNGRADE, "up_to: economy"), ("{key: daily, unit", "{key: daily, tier: premium, unit")],
        problems.LimitCoversNothing,
    ),
    "rolling over nothing": ([("{credits: 1000, rollover", "{rollover")], problems.AllowanceContradiction),
    "rolling over into never": ([("rollover_max", "renews: never, rollover_max")], problems.AllowanceContradiction),
    "no rate for the feature": (
        [("{tier: economy, per_1M", "{feature: sso, per_1M"), ("feature: chat, tier: premium", "feature: seats")],
        problems.FeatureNotRated,
    ),
    "no rate for a fallback": ([("{tier: economy, per_1M", "{feature: sso, per_1M")], problems.FallbackNotRated),
    "a card that starts tomorrow": ([("from: 2026-01-01", "from: 2026-11-16")], problems.RateCardNotPublished),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_plan_is_not_published_with(case: str, apply: Callable[..., Any]) -> None:
    changes, expected = REFUSED[case]
    apply(changed(*changes))
    publish_card()
    draft = PlanVersion.objects.get()
    with pytest.raises(expected) as refusal:
        publish_plan_version(draft.pk, now=NOON)
    assert "also" not in refusal.value.extra
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_a_price_is_payable(apply: Callable[..., Any]) -> None:
    apply()
    publish_card()
    PlanVersion.objects.update(price="29.005")
    with pytest.raises(problems.PriceNotPayable):
        publish_plan_version(PlanVersion.objects.get().pk, now=NOON)


def test_everything_that_speaks_against_it_is_said_at_once(apply: Callable[..., Any]) -> None:
    apply(changed(("fallbacks: [gpt-5-mini]", ""), ("{feature: sso}", "{feature: sso, config: 3}")))
    with pytest.raises(problems.RateCardNotPublished) as refusal:
        publish_plan_version(PlanVersion.objects.get().pk, now=NOON)
    others = [other["code"] for other in refusal.value.extra["also"]]
    assert others == ["downgrade_without_fallback", "entitlement_value"]


def test_a_card_nobody_sells_by_may_start_in_the_past(drafts: PlanVersion) -> None:
    publish_card()
    assert RateCardVersion.objects.get().effective_from < NOON


def test_a_card_in_use_may_not(on_sale: PlanVersion) -> None:
    draft = new_rate_card_draft(on_sale.rate_card_id, now=NOON - timedelta(minutes=1))
    with pytest.raises(problems.RateCardIsBackdated):
        publish_rate_card_version(draft.pk, now=NOON)
    published = publish_rate_card_version(draft.pk, now=NOON, start_now=True)
    published.refresh_from_db()
    assert (published.status, published.effective_from) == ("published", NOON)


def test_two_versions_of_a_card_never_start_together(on_sale: PlanVersion) -> None:
    first = new_rate_card_draft(on_sale.rate_card_id, now=NOON)
    publish_rate_card_version(first.pk, now=NOON)
    second = new_rate_card_draft(on_sale.rate_card_id, now=NOON)
    with pytest.raises(problems.RateCardDateTaken):
        publish_rate_card_version(second.pk, now=NOON)


def test_a_card_without_rates_is_not_published(drafts: PlanVersion) -> None:
    card = RateCardVersion.objects.get()
    card.rates.all().delete()
    with pytest.raises(problems.RateCardIsEmpty):
        publish_rate_card_version(card.pk, now=NOON)


def test_a_new_card_draft_copies_every_rate(on_sale: PlanVersion, card_version: RateCardVersion) -> None:
    draft = new_rate_card_draft(card_version.card_id, now=NOON)
    old, new = rate_card_terms(card_version), rate_card_terms(draft)
    assert (new.number, new.rounding, new.increment, new.effective_from) == (2, old.rounding, old.increment, NOON)

    def prices(terms: Any) -> list[tuple[Any, ...]]:
        return [(row.feature_id, row.tier_id, row.action_microcredits, row.per_million) for row in terms.rates]

    assert prices(new) == prices(old)
    with pytest.raises(problems.DraftExists):
        new_rate_card_draft(card_version.card_id, now=NOON)


def test_there_is_nothing_to_copy_of_nothing(db: None) -> None:
    card = RateCard.objects.create(key="empty", name="Empty")
    with pytest.raises(problems.NothingToCopy):
        new_rate_card_draft(card.pk, now=NOON)


@pytest.mark.django_db(transaction=True)
def test_two_who_publish_at_once_publish_once() -> None:
    apply_catalogue(SMALL, publish=False, now=NOON)
    publish_card()
    draft = PlanVersion.objects.get()

    def publish(_: int) -> str:
        try:
            publish_plan_version(draft.pk, now=NOON)
        except problems.VersionIsNotDraft as refusal:
            return refusal.code
        finally:
            connection.close()
        return "published"

    with ThreadPoolExecutor(4) as threads:
        outcomes = sorted(threads.map(publish, range(4)))
    assert outcomes == ["published"] + ["version_is_not_draft"] * 3


@pytest.mark.django_db(transaction=True)
def test_publishing_waits_for_an_edit_in_progress() -> None:
    """Otherwise a limit could be added to a version between its checks and its publication."""
    apply_catalogue(SMALL, publish=False, now=NOON)
    publish_card()
    draft = PlanVersion.objects.get()
    published = Event()

    def publish() -> None:
        try:
            publish_plan_version(draft.pk, now=NOON)
            published.set()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            draft.limits.filter(key="daily").update(value=7)
            waiting = threads.submit(publish)
            assert not published.wait(0.3)
        waiting.result(timeout=10)
    assert PlanVersion.objects.get().status == "published"
    with pytest.raises(IntegrityError), transaction.atomic():
        draft.limits.filter(key="daily").update(value=8)
