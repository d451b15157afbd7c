"""The database's catalogue in the file's form."""

from datetime import UTC
from typing import Any

from django.db.models import Prefetch

from plans.catalogue_file.spec import (
    AllowanceSpec,
    CatalogueSpec,
    EntitlementSpec,
    FeatureSpec,
    GraceSpec,
    LimitSpec,
    ModelSpec,
    OverageSpec,
    PackSpec,
    PlanNameSpec,
    PlanSpec,
    PlanTermsSpec,
    RateCardSpec,
    RateCardVersionSpec,
    RateSpec,
    Stored,
    StoredVersion,
    TierSpec,
)
from plans.catalogue_file.values import Credits, LimitValue, Price
from plans.models import (
    AIModel,
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
from plans.terms import limit_in_unit


def read_stored() -> Stored:
    """Read the catalogue: some fifteen queries, whatever its size."""
    plans = list(Plan.objects.prefetch_related(Prefetch("versions", _plan_versions())))
    cards = list(RateCard.objects.prefetch_related(Prefetch("versions", _rate_card_versions())))
    plan_versions = {
        plan.key: {item.number: StoredVersion(item.status, _plan_terms(item)) for item in plan.versions.all()}
        for plan in plans
    }
    rate_card_versions = {
        card.key: {item.number: StoredVersion(item.status, _rate_card_version(item)) for item in card.versions.all()}
        for card in cards
    }
    models = AIModel.objects.select_related("tier").prefetch_related(
        Prefetch("matches", ModelMatch.objects.order_by("id"))
    )
    spec = CatalogueSpec(
        features={
            item.key: FeatureSpec(name=item.name, kind=item.kind, description=item.description)  # type: ignore[arg-type]
            for item in Feature.objects.all()
        },
        tiers={item.key: TierSpec(name=item.name, rank=item.rank) for item in ModelTier.objects.all()},
        models={item.key: _model(item) for item in models},
        rate_cards={
            card.key: RateCardSpec(
                name=card.name,
                versions=[version.terms for _, version in sorted(rate_card_versions[card.key].items())],  # type: ignore[misc]
            )
            for card in cards
        },
        plans={plan.key: described for plan in plans if (described := _plan(plan, plan_versions[plan.key]))},
        top_up_packs={item.key: _pack(item) for item in TopUpPack.objects.all()},
    )
    plan_names = {plan.key: PlanNameSpec(name=plan.name, description=plan.description) for plan in plans}
    return Stored(spec=spec, plan_names=plan_names, plan_versions=plan_versions, rate_card_versions=rate_card_versions)


def _plan_versions() -> Any:
    return PlanVersion.objects.select_related("rate_card").prefetch_related(
        Prefetch("entitlements", PlanEntitlement.objects.select_related("feature", "max_tier").order_by("id")),
        Prefetch("limits", PlanLimit.objects.select_related("feature", "tier").order_by("key")),
        "fallbacks__model",
    )


def _rate_card_versions() -> Any:
    return RateCardVersion.objects.prefetch_related(
        Prefetch("rates", Rate.objects.select_related("feature", "model", "tier").order_by("id")),
        Prefetch("rates__token_rates", TokenRate.objects.order_by("id")),
    )


def _model(model: AIModel) -> ModelSpec:
    rules = list(model.matches.all())
    return ModelSpec(
        name=model.name,
        provider=model.provider,
        tier=model.tier.key,
        aliases=list(model.aliases),
        prefixes=[rule.pattern for rule in rules if rule.kind == ModelMatch.Kind.PREFIX],
        patterns=[rule.pattern for rule in rules if rule.kind == ModelMatch.Kind.REGEX],
    )


def _pack(pack: TopUpPack) -> PackSpec:
    return PackSpec(
        name=pack.name,
        credits=Credits(pack.microcredits),
        bonus=Credits(pack.bonus_microcredits),
        price=_price(pack.price),
        expires_after_days=pack.expires_after_days,
        position=pack.position,
        active=pack.active,
    )


def _plan(plan: Plan, versions: dict[int, StoredVersion]) -> PlanSpec | None:
    """The plan as it is sold or being written: its draft, or else the newest published version."""
    open_versions = {number: version for number, version in versions.items() if version.status != "retired"}
    if not open_versions:
        return None
    drafts = [number for number, version in open_versions.items() if version.is_draft]
    number = max(drafts or open_versions)
    terms = open_versions[number].terms
    members = {name: getattr(terms, name) for name in PlanTermsSpec.__struct_fields__}
    return PlanSpec(name=plan.name, description=plan.description, version=number, **members)


def _plan_terms(version: PlanVersion) -> PlanTermsSpec:
    return PlanTermsSpec(
        price=_price(version.price),
        interval=version.interval,  # type: ignore[arg-type]
        rate_card=version.rate_card.key,
        allowance=AllowanceSpec(
            credits=Credits(version.included_microcredits),
            renews=version.allowance_renewal,  # type: ignore[arg-type]
            rollover_max=Credits(version.rollover_max_microcredits),
            priority=version.allowance_priority,
        ),
        overage=OverageSpec(
            price=None if version.overage_price is None else _price(version.overage_price),
            spend_cap=_credits(version.spend_cap_microcredits),
            invoice_at=_credits(version.overage_invoice_at_microcredits),
        ),
        grace=GraceSpec(policy=version.grace, days=version.grace_days),  # type: ignore[arg-type]
        unpriced=version.unpriced,  # type: ignore[arg-type]
        entitlements=[
            EntitlementSpec(
                feature=item.feature.key,
                up_to=_key(item.max_tier),
                at_limit=item.at_limit,  # type: ignore[arg-type]
                config=item.config,
            )
            for item in version.entitlements.all()
        ],
        fallbacks=[step.model.key for step in version.fallbacks.all()],
        limits=[_limit(limit) for limit in version.limits.all()],
    )


def _limit(limit: PlanLimit) -> LimitSpec:
    return LimitSpec(
        key=limit.key,
        scope=limit.scope,  # type: ignore[arg-type]
        feature=_key(limit.feature),
        tier=_key(limit.tier),
        unit=limit.unit,  # type: ignore[arg-type]
        window=limit.window,  # type: ignore[arg-type]
        kind=limit.kind,  # type: ignore[arg-type]
        value=LimitValue(limit_in_unit(limit.value, limit.unit)),
        warn_at=list(limit.warn_at_percent),
    )


def _rate_card_version(version: RateCardVersion) -> RateCardVersionSpec:
    return RateCardVersionSpec(
        number=version.number,
        start=version.effective_from.astimezone(UTC),
        rounding=version.rounding,  # type: ignore[arg-type]
        round_to=Credits(version.rounding_increment_microcredits),
        rates=[_rate(rate) for rate in version.rates.all()],
    )


def _rate(rate: Rate) -> RateSpec:
    prices: dict[int, dict[str, Credits]] = {1: {}, 1_000: {}, 1_000_000: {}}
    for token_rate in rate.token_rates.all():
        prices[token_rate.per][token_rate.kind] = Credits(token_rate.microcredits)
    return RateSpec(
        feature=_key(rate.feature),
        model=_key(rate.model),
        tier=_key(rate.tier),
        action=Credits(rate.action_microcredits),
        minimum=Credits(rate.minimum_microcredits),
        each=prices[1],
        per_1k=prices[1_000],
        per_1m=prices[1_000_000],
    )


def _key(thing: Feature | ModelTier | AIModel | None) -> str | None:
    return None if thing is None else thing.key


def _credits(microcredits: int | None) -> Credits | None:
    return None if microcredits is None else Credits(microcredits)


def _price(money: Any) -> Price:
    return Price.of(money.amount, str(money.currency))
