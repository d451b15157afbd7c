"""What must hold before a plan version is sold. Pure: terms in, refusals out."""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from kernel.errors import Problem
from plans import problems
from plans.catalogue import Catalogue
from plans.money import decimal_places
from plans.rating import pricer
from plans.terms import EntitlementTerms, ModelTerms, PlanTerms, RateCardTerms


class Sale(NamedTuple):
    """A plan as it would be sold now: with the rate card in force, if there is one."""

    plan: PlanTerms
    catalogue: Catalogue
    card: RateCardTerms | None


def plan_problems(plan: PlanTerms, catalogue: Catalogue, now: datetime) -> list[Problem]:
    """Everything that speaks against publishing the plan, worst first; empty when nothing does."""
    sale = Sale(plan, catalogue, catalogue.rate_card(plan.rate_card_id, now))
    return [problem for rule in RULES for problem in rule(sale)]


def _includes_something(sale: Sale) -> Iterator[Problem]:
    if not sale.plan.entitlements:
        yield problems.PlanHasNoEntitlements("Add at least one entitlement.", field="entitlements")


def _sells_by_a_card_in_force(sale: Sale) -> Iterator[Problem]:
    if sale.card is None:
        yield problems.RateCardNotPublished(
            "Publish a version of the rate card that is in force now, or choose another card.", field="rate_card"
        )


def _has_rates(sale: Sale) -> Iterator[Problem]:
    card = sale.card
    if card is None:
        return
    for entitlement, name in _metered(sale):
        allowed = [model for model in sale.catalogue.models.values() if _within(entitlement, model)]
        if not any(pricer(card, entitlement.feature_id, model) for model in (None, *allowed)):
            yield problems.FeatureNotRated(
                f"{card.card_key} v{card.number} has no rate for {name} on any model the plan allows.",
                field="rate_card",
            )
            continue
        for model in sale.plan.fallbacks:
            if _within(entitlement, model) and pricer(card, entitlement.feature_id, model) is None:
                yield problems.FallbackNotRated(
                    f"{card.card_key} v{card.number} has no rate for {name} on {model.key}.", field="fallbacks"
                )


def _falls_back_within_its_tiers(sale: Sale) -> Iterator[Problem]:
    metered = list(_metered(sale))
    for model in sale.plan.fallbacks:
        if not any(_within(entitlement, model) for entitlement, _ in metered):
            yield problems.FallbackNotEntitled(
                f"{model.key} is {model.tier_key}, which no entitlement reaches: remove it or raise a tier.",
                field="fallbacks",
            )
    for entitlement, name in metered:
        if entitlement.at_limit == "downgrade" and not any(
            _within(entitlement, model) for model in sale.plan.fallbacks
        ):
            yield problems.DowngradeWithoutFallback(
                f"{name} downgrades: add a fallback model within its tier, or deny instead.", field="fallbacks"
            )


def _prices_its_overage(sale: Sale) -> Iterator[Problem]:
    if sale.plan.overage_price is None:
        for entitlement, name in _metered(sale):
            if entitlement.at_limit == "overage":
                yield problems.OverageWithoutPrice(
                    f"{name} allows overage: set what a credit of it costs.", field="overage_price"
                )


def _can_be_paid(sale: Sale) -> Iterator[Problem]:
    places = decimal_places(sale.plan.currency)
    if Decimal(sale.plan.price) != round(Decimal(sale.plan.price), places):
        yield problems.PriceNotPayable(
            f"{sale.plan.price} {sale.plan.currency}: {sale.plan.currency} has {places} decimal places.", field="price"
        )


def _gives_each_feature_its_value(sale: Sale) -> Iterator[Problem]:
    for entitlement in sale.plan.entitlements.values():
        feature = sale.catalogue.features_by_id[entitlement.feature_id]
        if feature.kind == "static" and entitlement.config is None:
            yield problems.EntitlementValue(f"{feature.key} is static: give it a value.", field="entitlements")
        if feature.kind != "static" and entitlement.config is not None:
            yield problems.EntitlementValue(f"{feature.key} is {feature.kind}: give it none.", field="entitlements")
        if feature.kind != "metered" and entitlement.max_rank is not None:
            yield problems.EntitlementValue(f"{feature.key} uses no model: it takes no tier.", field="entitlements")


def _limits_what_it_includes(sale: Sale) -> Iterator[Problem]:
    metered = [entitlement for entitlement, _ in _metered(sale)]
    for limit in sale.plan.limits:
        if limit.feature_id is not None and limit.feature_id not in {item.feature_id for item in metered}:
            key = sale.catalogue.features_by_id[limit.feature_id].key
            yield problems.LimitCoversNothing(f"{limit.key}: the plan does not meter {key}.", field="limits")
        if limit.tier_rank is not None and not any(
            item.max_rank is None or item.max_rank >= limit.tier_rank for item in metered
        ):
            yield problems.LimitCoversNothing(f"{limit.key}: no entitlement reaches that tier.", field="limits")


def _renews_what_it_rolls_over(sale: Sale) -> Iterator[Problem]:
    if not sale.plan.rollover_max_microcredits:
        return
    if not sale.plan.included_microcredits:
        yield problems.AllowanceContradiction("Nothing is included, so nothing can roll over.", field="rollover_max")
    elif sale.plan.allowance_renewal == "never":
        yield problems.AllowanceContradiction(
            "An allowance that never renews has no next period to roll over into.", field="rollover_max"
        )


RULES: Final[tuple[Callable[[Sale], Iterator[Problem]], ...]] = (
    _includes_something,
    _sells_by_a_card_in_force,
    _has_rates,
    _falls_back_within_its_tiers,
    _prices_its_overage,
    _can_be_paid,
    _gives_each_feature_its_value,
    _limits_what_it_includes,
    _renews_what_it_rolls_over,
)


def _metered(sale: Sale) -> Iterator[tuple[EntitlementTerms, str]]:
    for entitlement in sale.plan.entitlements.values():
        feature = sale.catalogue.features_by_id[entitlement.feature_id]
        if feature.kind == "metered":
            yield entitlement, feature.key


def _within(entitlement: EntitlementTerms, model: ModelTerms) -> bool:
    return entitlement.max_rank is None or model.tier_rank <= entitlement.max_rank
