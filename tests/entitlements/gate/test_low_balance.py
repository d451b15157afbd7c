"""A call that takes a balance below its mark tells the outbox in its own transaction, for whoever acts on it later."""

import httpx
import pytest

from entitlements.models import Balance, OutboxMessage
from entitlements.services.low_balance import tell_when_below
from kernel.clock import utc_now
from tests.gate import event, with_gate
from tests.world import CREDIT, Actor, World


@pytest.mark.django_db(transaction=True)
def test_the_gate_tells_of_a_fall_once() -> None:
    world = World()
    acme = Actor("acme", utc_now(), world.pro)
    tell_when_below("acme", 99_900_000, utc_now())

    async def story(client: httpx.AsyncClient) -> list[int]:
        told = []
        for number in range(3):  # each takes 0.14 of the 100 credits
            answer = await client.post("/v1/usage", json=event(f"e{number}"))
            assert answer.status_code == 201, answer.text
            told.append(await OutboxMessage.objects.filter(kind="balance.low").acount())
        return told

    assert with_gate(story) == [1, 1, 1]
    balance = Balance.objects.get(customer_id=acme.row.pk)
    assert balance.low_since is not None
    acme.is_granted(1)
    assert Balance.objects.get(customer_id=acme.row.pk).low_since is None
    assert acme.balance(utc_now()).available < 101 * CREDIT
