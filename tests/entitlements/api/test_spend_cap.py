"""Where overage stops, over the API."""

from typing import Any

import pytest

from tests.entitlements.api.conftest import Api, refused
from tests.world import CREDIT, Actor, World

pytestmark = pytest.mark.django_db

PATH = "/customers/meter/spend-cap"


@pytest.fixture
def meter(world: World, now: Any, clock: object) -> Actor:
    """On a plan of pure overage, capped at 50 credits a period."""
    plan = world.plan("payg", at_limit="overage", overage_price="0.01", spend_cap_microcredits=50 * CREDIT)
    return Actor("meter", now, plan)


def test_a_cap_is_set_seen_and_taken_off(api: Api, meter: Actor) -> None:
    assert api.get(PATH).json() == {"credits": None, "plan_credits": "50", "overage": "0"}
    assert api.put(PATH, {"credits": "12.5"}).json() == {"credits": "12.5", "plan_credits": "50", "overage": "0"}
    meter.spends(20, key="e1")
    assert api.get(PATH).json()["overage"] == "12.5"
    assert api.put(PATH, {"credits": None}).json()["credits"] is None


@pytest.mark.parametrize("credits", ["-1", "many", 5.0, "1e3", "0.0000001", "9" * 30])
def test_a_cap_that_means_nothing_is_refused(api: Api, meter: Actor, credits: Any) -> None:
    refused(api.put(PATH, {"credits": credits}), 422, "invalid_input", "credits")
    assert api.get(PATH).json()["credits"] is None


def test_a_misspelt_member_is_refused(api: Api, meter: Actor) -> None:
    refused(api.put(PATH, {"credits": "1", "cap": "1"}), 422, "invalid_input", "cap")
    refused(api.put(PATH, {}), 422, "invalid_input", "credits")


def test_setting_needs_admin_and_a_customer(api: Api, meter: Actor) -> None:
    reader = Api("read")
    assert reader.get(PATH).status_code == 200
    refused(reader.put(PATH, {"credits": "1"}), 403, "scope_missing")
    refused(api.put("/customers/nobody/spend-cap", {"credits": "1"}), 404, "customer_unknown")
