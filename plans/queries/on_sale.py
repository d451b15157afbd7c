"""What is on sale, with everything a reader wants to know of it, in a handful of queries."""

from django.db.models import Prefetch, QuerySet

from plans.models import FallbackStep, Plan, PlanEntitlement, PlanLimit, PlanVersion, TopUpPack


def versions_on_sale() -> QuerySet[PlanVersion]:
    """Published plan versions with their parts: at most one of a plan."""
    return (
        PlanVersion.objects.filter(status=PlanVersion.Status.PUBLISHED)
        .select_related("plan", "rate_card")
        .prefetch_related(
            Prefetch("entitlements", PlanEntitlement.objects.select_related("feature", "max_tier").order_by("id")),
            Prefetch("limits", PlanLimit.objects.select_related("feature", "tier").order_by("key")),
            Prefetch("fallbacks", FallbackStep.objects.select_related("model").order_by("position")),
        )
    )


def plans_on_sale() -> QuerySet[Plan]:
    """Plans somebody can subscribe to; `on_sale` holds the version."""
    return Plan.objects.filter(versions__status=PlanVersion.Status.PUBLISHED).prefetch_related(
        Prefetch("versions", versions_on_sale(), to_attr="on_sale")
    )


def packs_on_sale() -> QuerySet[TopUpPack]:
    """Top-up packs somebody can buy, in the order of the buy page."""
    return TopUpPack.objects.filter(active=True).order_by("position", "key")
