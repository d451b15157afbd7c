"""The API, the pages and the command over simulations."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import Client

from access import key_cache
from access.services.api_keys import create_key
from margins.models import Simulation
from margins.services.simulations import run_waiting
from tests.accounts import fact
from tests.margins.simulation.conftest import LATER, Simulate
from tests.margins.simulation.test_scenarios import THOUSAND, draft, limit
from tests.world import Actor, World

START = datetime(2026, 11, 1, tzinfo=UTC)
EDGES = (
    "entitlements.api.base.utc_now",
    "margins.pages.simulations.utc_now",
    "margins.pages.request.utc_now",
    "margins.management.commands.simulate.utc_now",
)


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for edge in EDGES:
        monkeypatch.setattr(edge, lambda: LATER)
    yield
    key_cache.forget()


@pytest.fixture
def acme(world: World) -> Actor:
    actor = Actor("acme", START, world.pro)
    actor.uses(*(fact(f"e{number}", at=START, usage=THOUSAND) for number in range(4)))
    return actor


@pytest.fixture
def api(db: None) -> Callable[..., Any]:
    def send(method: str, path: str, body: Any = None, *, scope: str = "admin", **query: Any) -> Any:
        _, token = create_key(scope, (scope,), START)
        client = Client(headers={"authorization": f"Bearer {token}"})
        if method == "GET":
            return client.get(f"/v1{path}", query)
        return client.post(f"/v1{path}", body, content_type="application/json")

    return send


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("boss", password="not-a-secret-here"))
    return client


DAYS = {"from": "2026-11-01", "to": "2026-12-01"}


def test_asking_over_the_api_is_answered_by_a_worker(
    acme: Actor,
    world: World,
    api: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    woken: list[Any] = []
    monkeypatch.setattr("margins.api.simulations.wake", woken.append)
    draft(world, limit("three", window="period", value=3))
    with django_capture_on_commit_callbacks(execute=True):
        response = api("POST", "/simulations", {**DAYS, "name": "Three calls", "plan_version": "pro/2"})
    assert response.status_code == 202
    made = response.json()
    assert (made["state"], made["percent"], made["total_calls"], len(woken)) == ("waiting", 0, 4, 1)
    assert (
        api("GET", f"/simulations/{made['id']}/compare", **{"with": made["id"]}).json()["code"] == "simulation_not_done"
    )
    run_waiting(lambda: LATER)
    done = api("GET", f"/simulations/{made['id']}", scope="read").json()
    (total,) = done["totals"]
    assert done["state"] == "done"
    assert (total["refused_calls"], total["lost_credits"], total["real"]["calls"]) == (1, "0.1", 4)
    assert total["simulated"] == {
        "calls": 3, "credits": "0.3", "cost_usd": "0.00045", "revenue": "29", "margin": "28.99955",
    }  # fmt: skip
    (mine,) = api("GET", f"/simulations/{made['id']}/customers").json()["data"]
    assert (mine["customer"], mine["first_limit"], mine["first_limit_at"]) == ("acme", "three", "2026-11-01T00:00:00Z")
    assert [one["id"] for one in api("GET", "/simulations").json()["data"]] == [made["id"]]
    beside = api("GET", f"/simulations/{made['id']}/compare", **{"with": made["id"]}).json()
    assert beside["customers"][0]["difference"] == "0"
    assert api("GET", "/simulations/99/customers").json()["code"] == "simulation_unknown"


BAD: list[tuple[dict[str, Any], str]] = [
    ({"from": "2026-11-01"}, "to"),
    ({"plan_version": "pro"}, "plan_version"),
    ({"plan_version": "pro/99"}, "plan_version"),
    ({"rate_card_version": "standard/x"}, "rate_card_version"),
    ({"moves": [{"source_model": "gpt-4o", "target_model": "x"}]}, "moves[0].target_model"),
    ({"limits": "maybe"}, "limits"),
    ({"customers": ["acme", "acme"]}, "customers"),
    ({"what": 1}, "what"),
]


@pytest.mark.parametrize(("body", "field"), BAD, ids=[f"{number} {each[1]}" for number, each in enumerate(BAD)])
def test_a_bad_question_names_its_field(acme: Actor, api: Callable[..., Any], body: dict[str, Any], field: str) -> None:
    refused = api("POST", "/simulations", (body if field == "to" else DAYS | body))
    assert (refused.status_code, refused.json()["field"]) == (422, field)
    assert not Simulation.objects.exists()


def test_only_admins_ask(acme: Actor, api: Callable[..., Any]) -> None:
    assert api("POST", "/simulations", DAYS, scope="read").json()["code"] == "scope_missing"


def test_staff_ask_watch_and_compare(acme: Actor, world: World, staff: Client) -> None:
    draft(world, limit("three", window="period", value=3))
    page = staff.get("/margins/simulations/").content.decode()
    assert "Pro v2, draft" in page
    assert 'aria-current="page">Simulations' in page
    asked = staff.post("/margins/simulations/", DAYS | {"name": "Three", "plan_version": "pro/2", "limits": "enforce"})
    made = Simulation.objects.get()
    assert asked["Location"] == f"/margins/simulations/{made.pk}/"
    assert made.author == "boss"
    waiting = staff.get(asked["Location"]).content.decode()
    assert "Waiting for a worker: 0 of 4 calls" in waiting
    assert "Waiting for a worker" in staff.get(f"{asked['Location']}progress/").content.decode()
    run_waiting(lambda: LATER)
    assert staff.get(f"{asked['Location']}progress/")["HX-Refresh"] == "true"
    done = staff.get(asked["Location"]).content.decode()
    assert "1 calls of 1 customers refused: 0.1 credits not charged, 0.00015 USD of cost saved." in done
    assert "pro v2" in done
    lines = staff.get(f"{asked['Location']}customers.csv").content.decode().splitlines()
    assert lines[0].startswith("customer,currency,plan,real_calls,calls")
    assert lines[1].startswith("acme,USD,pro,4,3,0.4,0.3,0.0006,0.00045,29,29,1,0.1,0.00015")
    staff.post("/margins/simulations/", DAYS | {"name": "As it was", "limits": "observe"})
    run_waiting(lambda: LATER)
    other = Simulation.objects.get(name="As it was")
    compared = staff.get(f"{asked['Location']}compare/", {"with": other.pk}).content.decode()
    assert "Customers whose margin differs most" in compared
    assert "Margin: As it was" in compared
    assert staff.get(f"{asked['Location']}compare/", {"with": "x"}).status_code == 404


def test_a_form_that_makes_no_sense_says_why(acme: Actor, staff: Client) -> None:
    for given, why in (
        ({"from": "2026-11-01", "to": "x"}, "to: must be a day"),
        (DAYS | {"moves": "gpt-4o"}, "moves: write it as"),
        (DAYS | {"customers": "nobody"}, "no customer has the key"),
    ):
        assert why in staff.post("/margins/simulations/", given).content.decode()
    assert staff.get("/margins/simulations/9/").status_code == 404
    assert Client().get("/margins/simulations/").status_code == 302


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("simulate", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_runs_lists_and_compares(acme: Actor, simulate: Simulate, tmp_path: Path) -> None:
    period = ("--from", "2026-11-01", "--to", "2026-12-01")
    file = tmp_path / "rows.csv"
    said = command(*period, "--move", "gpt-4o-mini=gpt-4o@chat", "--name", "Large", "--csv", str(file))
    assert "Large: 4 calls replayed." in said
    assert "  really: 4 calls, 0.4 credits, revenue 29 USD, cost 0.0006 USD, margin 28.9994 USD" in said
    assert "4 calls of 1 customers refused (4 credits lost, 0.01 USD saved)" in said
    assert file.read_text().splitlines()[1].startswith("acme,USD,pro,4,0")
    other = simulate()
    first = Simulation.objects.get(name="Large")
    assert f"#{first.pk} Large: done, 100 %" in command("--list")
    assert "acme: margin differs by -0.0006 USD" in command("--compare", str(first.pk), str(other.pk))
    for arguments, why in (
        ((), "Say which days"),
        ((*period, "--plan", "nothing/1"), "no plan version"),
        ((*period, "--rate-card", "nothing/1"), "no rate card version"),
        (("--compare", "0", str(other.pk)), "no simulation 0"),
    ):
        with pytest.raises(CommandError, match=why):
            command(*arguments)
