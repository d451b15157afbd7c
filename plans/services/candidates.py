"""Versions as terms before they are published, to check, preview and compare what would be sold.

Published versions come from plans/catalogue.py instead, all at once.
"""

from datetime import UTC

from plans.models import AIModel, PlanVersion, RateCardVersion
from plans.rating import MILLION
from plans.terms import EntitlementTerms, LimitTerms, ModelTerms, PlanTerms, RateCardTerms, RateTerms


def plan_terms(version: PlanVersion) -> PlanTerms:
    """A plan version of any status as the gate would see it."""
    entitlements = version.entitlements.select_related("max_tier")
    limits = version.limits.select_related("tier").order_by("key")
    fallbacks = version.fallbacks.select_related("model__tier").order_by("position")
    overage = version.overage_price
    return PlanTerms(
        id=version.pk,
        plan_key=version.plan.key,
        plan_name=version.plan.name,
        number=version.number,
        status=version.status,
        price=_trimmed(version.price),
        currency=str(version.price.currency),
        interval=version.interval,
        rate_card_id=version.rate_card_id,
        included_microcredits=version.included_microcredits,
        allowance_renewal=version.allowance_renewal,
        rollover_max_microcredits=version.rollover_max_microcredits,
        allowance_priority=version.allowance_priority,
        unpriced=version.unpriced,
        overage_price=None if overage is None else _trimmed(overage),
        spend_cap_microcredits=version.spend_cap_microcredits,
        entitlements={
            item.feature_id: EntitlementTerms(
                feature_id=item.feature_id,
                max_rank=None if item.max_tier is None else item.max_tier.rank,
                at_limit=item.at_limit,
                config=item.config,
            )
            for item in entitlements
        },
        limits=tuple(
            LimitTerms(
                id=limit.pk,
                key=limit.key,
                scope=limit.scope,
                feature_id=limit.feature_id,
                tier_id=limit.tier_id,
                tier_rank=None if limit.tier is None else limit.tier.rank,
                unit=limit.unit,
                window=limit.window,
                kind=limit.kind,
                value=limit.value,
                warn_at_percent=tuple(limit.warn_at_percent),
            )
            for limit in limits
        ),
        fallbacks=tuple(_model_terms(step.model) for step in fallbacks),
        grace=version.grace,
        grace_days=version.grace_days,
    )


def rate_card_terms(version: RateCardVersion) -> RateCardTerms:
    """A rate card version of any status as rating would use it."""
    return RateCardTerms(
        version_id=version.pk,
        card_id=version.card_id,
        card_key=version.card.key,
        number=version.number,
        effective_from=version.effective_from.astimezone(UTC),
        rounding=version.rounding,
        increment=version.rounding_increment_microcredits,
        rates=tuple(
            RateTerms(
                id=rate.pk,
                feature_id=rate.feature_id,
                model_id=rate.model_id,
                tier_id=rate.tier_id,
                action_microcredits=rate.action_microcredits,
                minimum_microcredits=rate.minimum_microcredits,
                per_million={
                    price.kind: price.microcredits * (MILLION // price.per) for price in rate.token_rates.all()
                },
            )
            for rate in version.rates.prefetch_related("token_rates").order_by("id")
        ),
    )


def _model_terms(model: AIModel) -> ModelTerms:
    tier = model.tier
    return ModelTerms(model.pk, model.key, model.provider, tier.pk, tier.key, tier.rank)


def _trimmed(money: object) -> str:
    """A price as the shortest exact decimal string."""
    amount = money.amount.normalize()  # type: ignore[attr-defined]
    return f"{amount:f}"
