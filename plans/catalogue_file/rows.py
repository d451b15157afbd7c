"""The file's parts as database rows. Called inside one transaction, with checked parts only."""

from typing import Any

from django.db.models import Max
from djmoney.money import Money

from plans.catalogue_file.spec import (
    FeatureSpec,
    LimitSpec,
    ModelSpec,
    PackSpec,
    PlanSpec,
    RateCardSpec,
    RateCardVersionSpec,
    TierSpec,
)
from plans.catalogue_file.values import Price
from plans.models import (
    AIModel,
    FallbackStep,
    Feature,
    ModelMatch,
    ModelTier,
    Plan,
    PlanEntitlement,
    PlanLimit,
    PlanVersion,
    Rate,
    RateCard,
    RateCardVersion,
    TokenRate,
    TopUpPack,
)
from plans.terms import LIMIT_SCALES


def write_features(features: dict[str, FeatureSpec]) -> None:
    for key, spec in features.items():
        values = {"name": spec.name, "kind": spec.kind, "description": spec.description}
        Feature.objects.update_or_create(key=key, defaults=values)


def write_tiers(tiers: dict[str, TierSpec]) -> None:
    """Ranks are unique at every moment, so those that move first step out of each other's way."""
    beyond: int = ModelTier.objects.aggregate(top=Max("rank"))["top"] or 0
    beyond = max([beyond, *(spec.rank for spec in tiers.values())])
    for step, tier in enumerate(ModelTier.objects.filter(key__in=tiers), start=1):
        ModelTier.objects.filter(pk=tier.pk).update(rank=beyond + step)
    for key, spec in tiers.items():
        ModelTier.objects.update_or_create(key=key, defaults={"name": spec.name, "rank": spec.rank})


def write_models(models: dict[str, ModelSpec]) -> None:
    """Every rule that goes is gone before any is added, so that a rule can move to another model."""
    tiers = {tier.key: tier for tier in ModelTier.objects.all()}
    ModelMatch.objects.filter(model__key__in=models).delete()
    for key, spec in models.items():
        values = {"name": spec.name, "provider": spec.provider, "tier": tiers[spec.tier], "aliases": spec.aliases}
        model, _ = AIModel.objects.update_or_create(key=key, defaults=values)
        rules = [(ModelMatch.Kind.PREFIX, pattern) for pattern in spec.prefixes]
        rules += [(ModelMatch.Kind.REGEX, pattern) for pattern in spec.patterns]
        ModelMatch.objects.bulk_create(ModelMatch(model=model, kind=kind, pattern=pattern) for kind, pattern in rules)


def write_packs(packs: dict[str, PackSpec]) -> None:
    for key, spec in packs.items():
        TopUpPack.objects.update_or_create(
            key=key,
            defaults={
                "name": spec.name,
                "microcredits": spec.credits.content,
                "bonus_microcredits": spec.bonus.content,
                "price": _money(spec.price),
                "expires_after_days": spec.expires_after_days,
                "position": spec.position,
                "active": spec.active,
            },
        )


def write_rate_cards(cards: dict[str, RateCardSpec]) -> None:
    for key, spec in cards.items():
        RateCard.objects.update_or_create(key=key, defaults={"name": spec.name})


def write_plans(plans: dict[str, PlanSpec]) -> None:
    for key, spec in plans.items():
        Plan.objects.update_or_create(key=key, defaults={"name": spec.name, "description": spec.description})


def write_rate_card_version(card_key: str, spec: RateCardVersionSpec) -> None:
    """Create the draft, or replace what it says."""
    version, _ = RateCardVersion.objects.update_or_create(
        card=RateCard.objects.get(key=card_key),
        number=spec.number,
        defaults={
            "effective_from": spec.start,
            "rounding": spec.rounding,
            "rounding_increment_microcredits": spec.round_to.content,
        },
    )
    version.rates.all().delete()
    find = _Finder()
    for rate_spec in spec.rates:
        rate = Rate.objects.create(
            version=version,
            feature=find(Feature, rate_spec.feature),
            model=find(AIModel, rate_spec.model),
            tier=find(ModelTier, rate_spec.tier),
            action_microcredits=rate_spec.action.content,
            minimum_microcredits=rate_spec.minimum.content,
        )
        TokenRate.objects.bulk_create(
            TokenRate(rate=rate, kind=kind, microcredits=price.content, per=per)
            for kind, price, per in rate_spec.prices
        )


def write_plan_version(plan_key: str, number: int, spec: PlanSpec, *, replaces: int | None) -> None:
    """Create the draft, or replace what it says (and its number, where the file gives it another)."""
    plan = Plan.objects.get(key=plan_key)
    if replaces is not None and replaces != number:
        plan.versions.filter(number=replaces, status=PlanVersion.Status.DRAFT).update(number=number)
    find = _Finder()
    allowance, overage = spec.allowance, spec.overage
    spend_cap: Any = None if overage.spend_cap is None else overage.spend_cap.content
    invoice_at: Any = None if overage.invoice_at is None else overage.invoice_at.content
    version, _ = PlanVersion.objects.update_or_create(
        plan=plan,
        number=number,
        defaults={
            "price": _money(spec.price),
            "interval": spec.interval,
            "rate_card": RateCard.objects.get(key=spec.rate_card),
            "included_microcredits": allowance.credits.content,
            "allowance_renewal": allowance.renews,
            "rollover_max_microcredits": allowance.rollover_max.content,
            "allowance_priority": allowance.priority,
            "unpriced": spec.unpriced,
            "overage_price": None if overage.price is None else _money(overage.price),
            "spend_cap_microcredits": spend_cap,
            "overage_invoice_at_microcredits": invoice_at,
            "grace": spec.grace.policy,
            "grace_days": spec.grace.days,
        },
    )
    version.entitlements.all().delete()
    version.limits.all().delete()
    version.fallbacks.all().delete()
    for item in spec.entitlements:
        PlanEntitlement.objects.create(
            plan_version=version,
            feature=find(Feature, item.feature),
            max_tier=find(ModelTier, item.up_to),
            at_limit=item.at_limit,
            config=item.config,
        )
    for limit in spec.limits:
        _write_limit(version, limit, find)
    for position, key in enumerate(spec.fallbacks, start=1):
        FallbackStep.objects.create(plan_version=version, position=position, model=find(AIModel, key))


def _write_limit(version: PlanVersion, limit: LimitSpec, find: "_Finder") -> None:
    PlanLimit.objects.create(
        plan_version=version,
        key=limit.key,
        scope=limit.scope,
        feature=find(Feature, limit.feature),
        tier=find(ModelTier, limit.tier),
        unit=limit.unit,
        window=limit.window,
        kind=limit.kind,
        value=int(limit.value.content * LIMIT_SCALES[limit.unit]),
        warn_at_percent=limit.warn_at,
    )


class _Finder:
    """Rows by key, each read once."""

    def __init__(self) -> None:
        self._found: dict[tuple[type[Any], str], Any] = {}

    def __call__(self, kind: type[Any], key: str | None) -> Any:
        if key is None:
            return None
        if (kind, key) not in self._found:
            self._found[kind, key] = kind.objects.get(key=key)
        return self._found[kind, key]


def _money(price: Price) -> Any:
    return Money(price.amount, price.currency)
