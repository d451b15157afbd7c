"""What the database itself refuses, whoever writes: a published version and its parts never change."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from plans.models import AIModel, FallbackStep, Feature, PlanEntitlement, PlanLimit, PlanVersion, Rate, RateCardVersion
from tests.plans.conftest import NOON

Write = Callable[[PlanVersion, RateCardVersion], Any]

WRITES: dict[str, Write] = {
    "the price": lambda plan, _: PlanVersion.objects.filter(pk=plan.pk).update(price=1),
    "the included credits": lambda plan, _: PlanVersion.objects.filter(pk=plan.pk).update(included_microcredits=1),
    "the number": lambda plan, _: PlanVersion.objects.filter(pk=plan.pk).update(number=9),
    "back to draft": lambda plan, _: PlanVersion.objects.filter(pk=plan.pk).update(status="draft", published_at=None),
    "retired with another price": lambda plan, _: PlanVersion.objects.filter(pk=plan.pk).update(
        status="retired", retired_at=NOON, price=1
    ),
    "deletion": lambda plan, _: PlanVersion.objects.filter(pk=plan.pk).delete(),
    "an entitlement changed": lambda plan, _: plan.entitlements.update(at_limit="overage"),
    "an entitlement gone": lambda plan, _: plan.entitlements.all().delete(),
    "another entitlement": lambda plan, _: PlanEntitlement.objects.create(
        plan_version=plan, feature=Feature.objects.create(key="new", name="New")
    ),
    "a limit changed": lambda plan, _: plan.limits.update(value=1),
    "a limit gone": lambda plan, _: plan.limits.all().delete(),
    "another limit": lambda plan, _: PlanLimit.objects.create(
        plan_version=plan, key="new", unit="calls", window="day", value=1
    ),
    "a fallback gone": lambda plan, _: plan.fallbacks.all().delete(),
    "another fallback": lambda plan, _: FallbackStep.objects.create(
        plan_version=plan, position=9, model=AIModel.objects.get(key="gpt-5")
    ),
    "a rate changed": lambda _, card: card.rates.update(action_microcredits=1),
    "a rate gone": lambda _, card: card.rates.all().delete(),
    "another rate": lambda _, card: Rate.objects.create(version=card),
    "a token rate changed": lambda _, card: card.rates.first().token_rates.update(microcredits=1),  # type: ignore[union-attr]
    "a token rate gone": lambda _, card: card.rates.first().token_rates.all().delete(),  # type: ignore[union-attr]
    "another token rate": lambda _, card: card.rates.first().token_rates.create(kind="web_searches", microcredits=1),  # type: ignore[union-attr]
    "the card's date": lambda _, card: RateCardVersion.objects.filter(pk=card.pk).update(effective_from=NOON),
    "the card's rounding": lambda _, card: RateCardVersion.objects.filter(pk=card.pk).update(rounding="down"),
    "the card back to draft": lambda _, card: RateCardVersion.objects.filter(pk=card.pk).update(
        status="draft", published_at=None
    ),
    "the card gone": lambda _, card: RateCardVersion.objects.filter(pk=card.pk).delete(),
}


@pytest.mark.parametrize("what", WRITES)
def test_a_published_version_refuses(what: str, on_sale: PlanVersion, card_version: RateCardVersion) -> None:
    with pytest.raises(IntegrityError, match=r"cannot be (changed|deleted)"), transaction.atomic():
        WRITES[what](on_sale, card_version)


@pytest.mark.parametrize("part", ["entitlements", "limits", "fallbacks"])
def test_a_part_cannot_move_from_a_published_version_into_a_draft(part: str, on_sale: PlanVersion) -> None:
    draft = PlanVersion.objects.create(plan=on_sale.plan, number=2, rate_card=on_sale.rate_card)
    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        getattr(on_sale, part).update(plan_version=draft)


def test_saving_a_published_version_unchanged_is_no_change(on_sale: PlanVersion, card_version: RateCardVersion) -> None:
    on_sale.save()
    card_version.save()


def test_a_published_version_can_only_retire_and_stays_retired(on_sale: PlanVersion) -> None:
    versions = PlanVersion.objects.filter(pk=on_sale.pk)
    versions.update(status="retired", retired_at=NOON)
    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        versions.update(status="published", retired_at=None)
    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        versions.update(retired_at=NOON + timedelta(days=1))


def test_drafts_are_free_to_change_and_to_go(drafts: PlanVersion) -> None:
    drafts.entitlements.update(at_limit="deny")
    drafts.limits.all().delete()
    PlanVersion.objects.filter(pk=drafts.pk).update(price=1)
    drafts.delete()


def test_a_plan_has_one_draft(on_sale: PlanVersion) -> None:
    PlanVersion.objects.create(plan=on_sale.plan, number=2, rate_card=on_sale.rate_card)
    with pytest.raises(IntegrityError, match="plan_has_one_draft"), transaction.atomic():
        PlanVersion.objects.create(plan=on_sale.plan, number=3, rate_card=on_sale.rate_card)


def test_every_change_moves_the_revision(drafts: PlanVersion) -> None:
    def revision() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT revision FROM cache_revision")
            return int(cursor.fetchone()[0])

    before = revision()
    AIModel.objects.filter(key="gpt-5").update(aliases=["other"])
    between = revision()
    drafts.limits.all().delete()
    assert before < between < revision()
