"""What a customer may do now: the plan's entitlements under the customer's own."""

from typing import Any

import msgspec

from entitlements.core.account import Account
from plans.catalogue import Catalogue
from plans.terms import FeatureTerms, LimitTerms, PlanTerms


class Right(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's standing with one feature.

    `source` is "customer" where their own entitlement decides, else "plan".
    """

    feature: FeatureTerms
    source: str
    allowed: bool
    max_tier: str | None
    at_limit: str
    config: Any
    models: tuple[str, ...]
    limits: tuple[LimitTerms, ...]


def rights_of(account: Account, catalogue: Catalogue) -> list[Right]:
    """Every feature the plan or the customer's own entitlements speak of, by key.

    The customer's own entitlement replaces the plan's for that feature, as it does in a check.
    """
    plan = catalogue.plans.get(account.plan_version_id or 0)
    spoken_of = set(account.own_entitlements) | set(plan.entitlements if plan else ())
    features = [feature for feature in catalogue.features_by_id.values() if feature.id in spoken_of]
    return [_right(account, plan, feature, catalogue) for feature in sorted(features, key=lambda each: each.key)]


def _right(account: Account, plan: PlanTerms | None, feature: FeatureTerms, catalogue: Catalogue) -> Right:
    own = account.own_entitlements.get(feature.id)
    terms = own or (plan.entitlements[feature.id] if plan else None)
    if terms is None:
        raise AssertionError("a right is of the plan or the customer's own")
    return Right(
        feature=feature,
        source="customer" if own else "plan",
        allowed=own.allowed if own else True,
        max_tier=_tier_key(catalogue, terms.max_rank),
        at_limit=terms.at_limit,
        config=terms.config,
        models=_models(catalogue, terms.max_rank) if feature.kind == "metered" else (),
        limits=tuple(limit for limit in plan.limits if limit.feature_id in {None, feature.id}) if plan else (),
    )


def _tier_key(catalogue: Catalogue, rank: int | None) -> str | None:
    return next((tier.key for tier in catalogue.tiers.values() if tier.rank == rank), None)


def _models(catalogue: Catalogue, max_rank: int | None) -> tuple[str, ...]:
    """The keys of the models the right reaches, cheapest tier first."""
    reached = [model for model in catalogue.models.values() if max_rank is None or model.tier_rank <= max_rank]
    return tuple(model.key for model in sorted(reached, key=lambda model: (model.tier_rank, model.key)))
