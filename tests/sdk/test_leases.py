"""Leases and the outage journal, without a service."""

import ast
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from kernel.sql_files import ROOT
from weir_sdk import Lease, Open, Refused
from weir_sdk.leases import FLUSH_AT
from weir_sdk.outage import Closed, Journal


class Service:
    """Answers like one with so many credits, and remembers what it was told."""

    def __init__(self, credits: int) -> None:
        self.credits = credits
        self.told: list[str] = []
        self.released = False

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        if path.endswith("/settle"):
            assert body is not None
            self.told += [event["key"] for event in body["events"]]
        elif path.endswith("/release"):
            self.released = True
        elif path.endswith("/extend"):
            assert body is not None
            if Decimal(body["credits"]) > self.credits:
                raise Refused(402, {"code": "insufficient_credits"})
            self.credits -= int(body["credits"])
        return {"hold": granted("0")}


def granted(credits: str, seconds: float = 60) -> dict[str, Any]:
    ends = datetime.now(UTC) + timedelta(seconds=seconds)
    return {"id": "hold_1_2", "credits": credits, "expires_at": ends.isoformat()}


def lease(service: Service, credits: str, *, refill: int = 0, seconds: float = 60) -> Lease:
    return Lease(service, {"hold": granted(credits, seconds)}, refill=Decimal(refill), ttl_seconds=60)


def test_no_more_is_spent_than_was_leased_and_all_of_it_is_told_once() -> None:
    service = Service(0)
    with lease(service, "250") as it:
        spent = [it.spend("1", key=str(number)) for number in range(300)]
        assert len(service.told) == 2 * FLUSH_AT
    assert spent == [True] * 250 + [False] * 50
    assert service.told == [str(number) for number in range(250)]
    assert service.released


def test_it_asks_for_more_while_there_is_more() -> None:
    it = lease(Service(20), "10", refill=10)
    assert sum(it.spend("1", key=str(number)) for number in range(50)) == 30


def test_nothing_is_spent_after_the_deadline() -> None:
    assert not lease(Service(0), "10", seconds=0.5).spend("1", key="late")


def test_an_open_policy_is_bounded_by_customer_until_all_is_reported() -> None:
    journal = Journal({"chat": Open("10"), "*": Closed()})
    assert journal.allows("acme", "chat", Decimal(10))
    assert not journal.allows("acme", "chat", Decimal("0.1"))
    assert journal.allows("bolt", "chat", Decimal(10))
    assert not journal.allows("acme", "agent", Decimal(1))
    journal.keep({"key": "a"})
    journal.keep({"key": "b"})
    reported = []
    for batch in journal.batches(1):
        reported += batch
        journal.done(batch)
    assert reported == [{"key": "a"}, {"key": "b"}]
    assert journal.allows("acme", "chat", Decimal(10))


@pytest.mark.parametrize("file", sorted(path.name for path in (ROOT / "sdk/python/weir_sdk").glob("*.py")))
def test_it_imports_nothing_of_the_server(file: str) -> None:
    tree = ast.parse((ROOT / "sdk/python/weir_sdk" / file).read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    ours = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()}
    assert not {name.partition(".")[0] for name in imported} & ours
