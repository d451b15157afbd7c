"""What an action would cost in credits, by a published card or by a draft."""

from datetime import datetime
from typing import Any

import msgspec
from django.db import connection

from kernel.usage import Usage
from plans import problems
from plans.breakdown import Breakdown, breakdown
from plans.catalogue import Catalogue, load
from plans.models import RateCard, RateCardVersion
from plans.services.candidates import rate_card_terms
from plans.terms import FeatureTerms, ModelTerms, RateCardTerms


class Preview(msgspec.Struct, frozen=True):
    """An action's charge, what it was worked out for and from."""

    feature: FeatureTerms
    model: ModelTerms | None
    breakdown: Breakdown

    @property
    def applies_to(self) -> str:
        """What the rate row that priced the action applies to: ``chat · economy``, or everything."""
        rate = self.breakdown.rate
        parts = [
            self.feature.key if rate.feature_id is not None else "",
            self.model.key if self.model and rate.model_id is not None else "",
            self.model.tier_key if self.model and rate.tier_id is not None else "",
        ]
        return " · ".join(part for part in parts if part) or "everything"


def preview_by_card(*, rate_card: str, at: datetime, **action: Any) -> Preview:
    """Price an action by the version of a card that is in force at an instant.

    `action`: feature, model, provider, usage, as `preview` takes them. Raises RateCardUnknown and
    what `preview` raises.
    """
    catalogue = _catalogue()
    card_id = RateCard.objects.filter(key=rate_card).values_list("pk", flat=True).first()
    card = None if card_id is None else catalogue.rate_card(card_id, at)
    if card is None:
        raise problems.RateCardUnknown(f"No version of a rate card {rate_card!r} is in force then.", field="rate_card")
    return preview(catalogue, card, **action)


def preview_by_plan(*, plan: str, at: datetime, **action: Any) -> Preview:
    """Price an action by the card the plan on sale uses, as of an instant. Raises PlanUnknown, RateCardUnknown."""
    catalogue = _catalogue()
    sold = next(
        (item for item in catalogue.plans.values() if item.plan_key == plan and item.status == "published"), None
    )
    if sold is None:
        raise problems.PlanUnknown(f"No plan {plan!r} is on sale.", field="plan")
    card = catalogue.rate_card(sold.rate_card_id, at)
    if card is None:
        raise problems.RateCardUnknown("No version of the plan's rate card is in force then.", field="at")
    return preview(catalogue, card, **action)


def preview_by_version(version: RateCardVersion, **action: Any) -> Preview:
    """Price an action by one version of a card, published or draft."""
    return preview(_catalogue(), rate_card_terms(version), **action)


def preview(
    catalogue: Catalogue, card: RateCardTerms, *, feature: str, model: str = "", provider: str = "", usage: Usage
) -> Preview:
    """Price one action. `model` is an id as usage reports it; empty is an action without a model.

    Raises FeatureUnknown, NotMetered, ModelUnknown, Unrated. `usage` must be consistent.
    """
    known = catalogue.features.get(feature)
    if known is None:
        raise problems.FeatureUnknown(f"There is no feature {feature!r}.", field="feature")
    if known.kind != "metered":
        raise problems.NotMetered(f"{feature} is {known.kind}: using it costs no credits.", field="feature")
    family = catalogue.resolve_model(model, provider) if model else None
    if model and family is None:
        raise problems.ModelUnknown(f"No model of the catalogue has the id {model!r}.", field="model")
    explained = breakdown(card, feature_id=known.id, model=family, usage=usage)
    if explained is None:
        on = f" on {family.key} ({family.tier_key})" if family else " without a model"
        raise problems.Unrated(f"{card.card_key} v{card.number} has no rate for {feature}{on}.")
    return Preview(known, family, explained)


def _catalogue() -> Catalogue:
    with connection.cursor() as cursor:
        return load(cursor)
