"""What a load balancer asks."""

from typing import Any

import pytest
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from tests.access.test_problems import problem

pytestmark = pytest.mark.django_db


def test_a_healthy_service_says_ok_to_anyone() -> None:
    assert Client().get("/healthz").json() == {"status": "ok"}
    assert Client().get("/readyz").json() == {"status": "ready"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_without_a_database_it_is_unavailable_within_seconds(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    def nobody_listens() -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": 1, "user": "weir", "dbname": "weir"}

    monkeypatch.setattr("access.health.connection.get_connection_params", nobody_listens)
    response = Client().get(path)
    assert response.status_code == 503
    assert problem(response)["code"] == "unavailable"


def test_it_is_not_ready_before_its_schema_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: [("plans.0002", False)])
    response = Client().get("/readyz")
    assert response.status_code == 503
    assert "1 migrations" in problem(response)["detail"]


def test_asking_is_not_a_write() -> None:
    assert Client().post("/healthz").status_code == 405
