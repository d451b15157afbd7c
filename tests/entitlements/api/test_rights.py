"""What a customer may do, as a check would decide it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from moneyed import Money

from entitlements.models import Entitlement
from plans.models import Plan, PlanEntitlement, PlanLimit, PlanVersion
from tests.entitlements.api.conftest import Api
from tests.world import LONG_AGO, Actor, World

pytestmark = pytest.mark.django_db


def rights(api: Api, key: str = "acme") -> dict[str, dict[str, Any]]:
    return {right["feature"]: right for right in api.get(f"/customers/{key}/entitlements").json()["data"]}


def test_the_plan_gives_features_up_to_a_tier(api: Api, acme: Actor) -> None:
    assert rights(api) == {
        "chat": {
            "feature": "chat",
            "name": "Chat",
            "kind": "metered",
            "allowed": True,
            "source": "plan",
            "max_tier": "economy",
            "at_limit": "deny",
            "config": None,
            "models": ["gpt-4o-mini"],
            "limits": [],
        },
        "export": {
            "feature": "export",
            "name": "Export",
            "kind": "boolean",
            "allowed": True,
            "source": "plan",
            "max_tier": None,
            "at_limit": "deny",
            "config": None,
            "models": [],
            "limits": [],
        },
    }


def test_the_customers_own_entitlement_replaces_the_plans_while_it_lasts(
    api: Api, acme: Actor, world: World, now: datetime
) -> None:
    mine = {"customer": acme.row, "starts_at": now - timedelta(days=1)}
    Entitlement.objects.create(feature=world.chat, at_limit="overage", **mine)
    Entitlement.objects.create(feature=world.export, allowed=False, **mine)
    chat, export = rights(api)["chat"], rights(api)["export"]
    assert (chat["source"], chat["max_tier"], chat["at_limit"]) == ("customer", None, "overage")
    assert chat["models"] == ["gpt-4o-mini", "gpt-4o"]
    assert (export["source"], export["allowed"]) == ("customer", False)

    Entitlement.objects.update(ends_at=now)
    assert rights(api)["chat"]["source"] == "plan"


def test_a_customer_without_a_plan_has_only_their_own(api: Api, world: World, now: datetime) -> None:
    bare = Actor("bare", now)
    assert rights(api, "bare") == {}
    Entitlement.objects.create(customer=bare.row, feature=world.export, starts_at=now, config={"formats": ["csv"]})
    assert rights(api, "bare")["export"]["config"] == {"formats": ["csv"]}


def test_limits_are_shown_in_their_unit_at_the_features_they_cover(api: Api, world: World, now: datetime) -> None:
    version = PlanVersion.objects.create(
        plan=Plan.objects.create(key="capped", name="Capped"), number=1, rate_card=world.card, price=Money(5, "USD")
    )
    for feature in (world.chat, world.export):
        PlanEntitlement.objects.create(plan_version=version, feature=feature)
    limit = {"plan_version": version, "window": "day"}
    PlanLimit.objects.create(key="a-calls", unit="calls", value=50, feature=world.chat, scope="user", **limit)
    PlanLimit.objects.create(key="b-spend", unit="credits", value=2_500_000, kind="soft", warn_at_percent=[80], **limit)
    PlanLimit.objects.create(key="c-cost", unit="cost", value=1_500_000_000, tier=world.premium, **limit)
    version.status, version.published_at = PlanVersion.Status.PUBLISHED, LONG_AGO
    version.save()
    Actor("capped", now, version)
    shown = rights(api, "capped")
    assert [(each["key"], each["value"], each["tier"]) for each in shown["chat"]["limits"]] == [
        ("a-calls", "50", None),
        ("b-spend", "2.5", None),
        ("c-cost", "1.5", "premium"),
    ]
    assert [each["key"] for each in shown["export"]["limits"]] == ["b-spend", "c-cost"]
    assert shown["chat"]["limits"][1] == {
        "key": "b-spend",
        "scope": "customer",
        "feature": None,
        "tier": None,
        "unit": "credits",
        "window": "day",
        "kind": "soft",
        "value": "2.5",
        "warn_at_percent": [80],
    }
