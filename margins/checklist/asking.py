"""What the checklist's questions are answered from."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Q, Sum
from django.urls import reverse

from entitlements.models.margin import MarginGuard
from margins.checklist.answers import Answer, Known, Links, PlanFacts, answers
from margins.people.features import features_without_benefit
from margins.people.users import People
from margins.period import Period
from margins.queries.lines import cost_lines
from margins.queries.margins import MarginRow
from margins.savings.links import Links as EventLinks
from metering.models import UsageDay
from plans.models import Feature, PlanEntitlement, PlanLimit, PlanVersion
from plans.queries.on_sale import versions_on_sale

_BRAKES: Final = {PlanLimit.Window.MINUTE, PlanLimit.Window.HOUR, PlanLimit.Window.DAY, PlanLimit.Window.RUN}


def checklist(period: Period, by_customer: Sequence[MarginRow], people: People, now: datetime) -> list[Answer]:
    """The checklist for these days; `by_customer` and `people` are of the same ones, plans and guards of now."""
    losing = sum(1 for row in by_customer if (row.margin.gross_margin or 0) < 0)
    usage = _usage(period)
    known = Known(
        **usage,
        cost_lines=len(cost_lines(period.end - timedelta(days=1), period.end)),
        customers=len(by_customer),
        losing=losing,
        p95_covered=people.p95.covered if people.p95 else None,
        features_without_benefit=tuple(features_without_benefit()),
        plans=tuple(_plans(now)),
    )
    return answers(known, _links(period))


def _usage(period: Period) -> dict[str, int]:
    days = UsageDay.objects.filter(day__gte=period.start, day__lt=period.end)
    sums: dict[str, Any] = days.aggregate(
        named=Sum("calls", filter=~Q(user_key=""), default=0),
        **{f"all_{name}": Sum(name, default=0) for name in _SUMS},
    )
    return {"named_calls": int(sums["named"])} | {name: int(sums[f"all_{name}"]) for name in _SUMS}


_SUMS: Final = ("calls", "unpriced_calls", "unrated_calls", "input_tokens", "cache_read_tokens")


def _plans(now: datetime) -> Iterable[PlanFacts]:
    in_force = MarginGuard.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now), starts_at__lte=now)
    guarded = set(in_force.exclude(plan=None).values_list("plan_id", flat=True))
    versions = list(versions_on_sale().order_by("plan__key"))
    # What a feature is known for on any plan tells an agent from a chat, as in the plan audit.
    agents = {
        limit.feature_id
        for version in versions
        for limit in version.limits.all()
        if limit.scope == PlanLimit.Scope.RUN and limit.feature_id is not None
    }
    for version in versions:
        limits = list(version.limits.all())
        sold = [one for one in version.entitlements.all() if one.feature.kind == Feature.Kind.METERED]
        yield PlanFacts(
            version.plan.key,
            tuple(one.feature.key for one in sold),
            tuple(one.feature.key for one in sold if _is_open_ended(version, one, limits)),
            tuple(one.feature.key for one in sold if one.feature_id in agents and not _is_capped(one, limits)),
            tuple(limit.key for limit in limits),
            tuple(limit.key for limit in limits if not limit.warn_at_percent),
            any(limit.window in _BRAKES for limit in limits),
            version.plan_id in guarded,
        )


def _is_open_ended(version: PlanVersion, sold: PlanEntitlement, limits: Sequence[PlanLimit]) -> bool:
    cap: int | None = version.spend_cap_microcredits
    if sold.at_limit != PlanEntitlement.AtLimit.OVERAGE or cap is not None:
        return False
    return not any(limit.kind == PlanLimit.Kind.HARD and _covers(limit, sold) for limit in limits)


def _is_capped(sold: PlanEntitlement, limits: Sequence[PlanLimit]) -> bool:
    return any(limit.scope == PlanLimit.Scope.RUN and _covers(limit, sold) for limit in limits)


def _covers(limit: PlanLimit, sold: PlanEntitlement) -> bool:
    """Whether it counts all use of the feature: one of a tier leaves the other tiers open."""
    return limit.tier_id is None and limit.feature_id in {None, sold.feature_id}


def _links(period: Period) -> Links:
    events = EventLinks(period)
    query = f"?from={period.start}&to={period.end}"
    return Links(
        unpriced=events.list_of({"cost_nanousd__isnull": "True"}),
        usage=events.list_of({"charged_microcredits__isnull": "True"}),
        plans=reverse("admin:plans_plan_changelist"),
        cost_lines=reverse("admin:margins_costline_changelist"),
        guards=reverse("admin:entitlements_marginguard_changelist"),
        benefits=reverse("admin:margins_featurebenefit_changelist"),
        people=reverse("margins:people") + query,
        savings=reverse("margins:savings") + query,
        losses=reverse("margins:overview") + query + "#customers",
    )
