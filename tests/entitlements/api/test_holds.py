"""What is set aside, for what, and until when."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from kernel.clock import format_instant
from tests.entitlements.api.conftest import Api, refused
from tests.entitlements.api.gate_stories import Teller, told
from tests.world import Actor

pytestmark = pytest.mark.django_db(transaction=True)


async def one_of_each(tells: Teller) -> dict[str, str]:
    ids = {key: await tells.holds(key) for key in ("open", "settled", "voided")}
    await tells.settles(ids["settled"], "4")
    await tells.post(f"/v1/holds/{ids['voided']}/void")
    wanted = {"key": "lease", "customer": "acme", "feature": "chat", "credits": "20", "ttl_seconds": 600}
    ids["lease"] = (await tells.post("/v1/leases", wanted))["hold"]["id"]
    return ids


def keys(response: Any) -> list[str]:
    return [hold["key"] for hold in response.json()["data"]]


def test_a_hold_says_what_it_is_for_and_leads_to_its_run_and_its_decision(api: Api, acme: Actor, now: datetime) -> None:
    async def story(tells: Teller) -> tuple[str, str]:
        run_id = await tells.opens("agent")
        return run_id, await tells.holds("h1", "2.5", run="agent", user="ann", model="gpt-4o-mini")

    run_id, hold_id = told(now, story)
    shown = api.get(f"/holds/{hold_id}").json()
    assert shown == {
        "id": hold_id,
        "key": "h1",
        "is_lease": False,
        "status": "open",
        "credits": "2.5",
        "settled": "0",
        "feature": "chat",
        "model": "gpt-4o-mini",
        "user": "ann",
        "run_id": run_id,
        "decision_id": hold_id.replace("hold_", "decision_"),
        "placed_at": format_instant(now),
        "expires_at": format_instant(now + timedelta(seconds=60)),
        "closed_at": None,
    }
    assert api.get(f"/decisions/{shown['decision_id']}").json()["answer"]["hold"]["id"] == hold_id
    assert api.get(f"/runs/{run_id}").json()["run"]["held"] == "2.5"


@pytest.mark.parametrize(
    ("key", "status", "held", "settled"),
    [("open", "open", "10", "0"), ("settled", "settled", "0", "4"), ("voided", "voided", "0", "0")],
)
def test_what_became_of_a_hold(
    api: Api, acme: Actor, now: datetime, key: str, status: str, held: str, settled: str
) -> None:
    shown = api.get(f"/holds/{told(now, one_of_each)[key]}").json()
    assert (shown["status"], shown["credits"], shown["settled"]) == (status, held, settled)
    assert (shown["closed_at"] is None) == (status == "open")


def test_a_lease_has_no_decision_of_its_own(api: Api, acme: Actor, now: datetime) -> None:
    shown = api.get(f"/holds/{told(now, one_of_each)['lease']}").json()
    assert (shown["is_lease"], shown["credits"], shown["decision_id"], shown["run_id"]) == (True, "20", None, None)


def test_a_hold_has_expired_at_its_deadline_although_nothing_wrote_it(
    api: Api, acme: Actor, now: datetime, clock: Any
) -> None:
    hold_id = told(now, one_of_each)["open"]
    clock(now + timedelta(seconds=59))
    assert api.get(f"/holds/{hold_id}").json()["status"] == "open"
    clock(now + timedelta(seconds=61))
    shown = api.get(f"/holds/{hold_id}").json()
    assert (shown["status"], shown["credits"]) == ("expired", "0")
    assert shown["closed_at"] == format_instant(now + timedelta(seconds=60))


def test_the_open_ones_come_first_in_pages(api: Api, acme: Actor, now: datetime) -> None:
    told(now - timedelta(seconds=1), lambda tells: tells.holds("older", "1"))
    told(now, one_of_each)
    listed = api.get("/customers/acme/holds")
    assert set(keys(listed)[:2]) == {"open", "lease"}
    assert keys(listed)[2:] == ["older", "settled", "voided"]
    first = api.get("/customers/acme/holds", limit=4)
    assert keys(first) + keys(api.get(first.json()["next"])) == keys(listed)


@pytest.mark.parametrize(
    ("query", "found"),
    [({"status": "settled"}, ["settled"]), ({"status": "expired"}, []), ({"key": "voided"}, ["voided"])],
)
def test_holds_are_found_by_status_and_by_key(
    api: Api, acme: Actor, now: datetime, query: dict[str, str], found: list[str]
) -> None:
    told(now, one_of_each)
    assert keys(api.get("/customers/acme/holds", **query)) == found


def test_a_filter_that_would_not_filter_is_refused(api: Api, acme: Actor) -> None:
    refused(api.get("/customers/acme/holds", status="gone"), 422, "invalid_input", "status")
    refused(api.get("/customers/acme/holds", open="1"), 422, "invalid_input", "open")
    refused(api.get("/customers/nobody/holds"), 404, "customer_unknown")


@pytest.mark.parametrize("hold_id", ["nonsense", "hold_1_" + "0" * 32, "hold_ffffff_" + "0" * 32, "run_1_" + "0" * 32])
def test_made_up_holds_are_not_found(api: Api, acme: Actor, hold_id: str) -> None:
    refused(api.get(f"/holds/{hold_id}"), 404, "hold_unknown")


def test_reading_holds_needs_the_read_scope(acme: Actor, clock: object) -> None:
    for path in ("/customers/acme/holds", "/holds/nonsense"):
        refused(Api("check", "usage").get(path), 403, "scope_missing")


def test_the_number_of_queries_does_not_grow_with_the_page(
    api: Api, acme: Actor, now: datetime, django_assert_max_num_queries: Any
) -> None:
    async def story(tells: Teller) -> None:
        for number in range(6):
            await tells.holds(f"h{number}", "1")

    told(now, story)
    with django_assert_max_num_queries(8):
        assert len(keys(api.get("/customers/acme/holds"))) == 6
