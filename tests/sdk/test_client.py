"""The client against the real service over HTTP."""

from decimal import Decimal

import pytest

from kernel.clock import utc_now
from tests.ports import free_port
from tests.world import Actor, World, assert_ledger_explains
from weir_sdk import Denied, Open, Refused, Unreachable, Weir

USED = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}


@pytest.fixture
def acme(transactional_db: None) -> Actor:
    return Actor("acme", utc_now(), World().pro)


def test_a_day_with_the_client(acme: Actor, live_gate: str, live_key: str) -> None:
    with Weir(live_gate, api_key=live_key) as weir:
        assert weir.check("acme", "chat", model="gpt-4o-mini", credits="1")["decision"] == "allow"

        with weir.hold("acme", "chat", key="h1", model="gpt-4o-mini", credits="10") as hold:
            assert weir.balance("acme")["held"] == "10"
            charged = Decimal(hold.settle(usage=USED, model="gpt-4o-mini")["credits"])
        assert charged
        with pytest.raises(ZeroDivisionError), weir.hold("acme", "chat", key="h2", credits="10"):
            raise ZeroDivisionError
        assert weir.balance("acme")["held"] == "0"

        with pytest.raises(Denied) as denied:
            weir.hold("acme", "chat", key="h3", credits="100000")
        assert denied.value.reason == "insufficient_credits"
        with pytest.raises(Refused) as refused:
            weir.check("acme", "no-such-feature")
        assert (refused.value.code, refused.value.field) == ("feature_unknown", "feature")

        with weir.lease("acme", "chat", key="l1", credits="10") as lease:
            # A tenth of what is there, asked for again and again while the customer has it.
            spent = sum(lease.spend("1", key=f"spent-{number}", model="") for number in range(200))
        assert spent == int(Decimal(100) - charged)
        assert Decimal(weir.balance("acme")["available"]) == 100 - charged - spent
    assert_ledger_explains(acme.row.pk)


def test_what_an_outage_let_through_is_in_the_ledger_afterwards(acme: Actor, live_gate: str, live_key: str) -> None:
    weir = Weir(f"http://127.0.0.1:{free_port()}", api_key=live_key, outage={"chat": Open("5")}, tries=1)
    with pytest.raises(Unreachable):
        weir.hold("acme", "agent", key="closed", credits="1")
    for number in range(5):
        with weir.hold("acme", "chat", key=f"o{number}", credits="1") as hold:
            hold.settle(credits="1")
    with pytest.raises(Unreachable):
        weir.check("acme", "chat", credits="1")
    assert weir.reconcile() == 5

    with Weir(live_gate, api_key=live_key) as back:
        weir._wire = back._wire
        weir.check("acme", "chat", credits="1")
        assert weir.reconcile() == 0
        assert back.balance("acme")["available"] == "95"
        assert weir._journal.allows("acme", "chat", Decimal(5))
