"""Webhooks: signed as Stripe signs them, and brought by a courier who can be told to misbehave."""

import json
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.inbox import Inbox, Letter
from tests.sandbox.process import SECRET, SandboxProcess
from tests.sandbox.shop import a_checkout, a_customer

if TYPE_CHECKING:
    from stripe import Event, StripeClient


def test_stripes_own_code_accepts_the_signature(sandbox: SandboxProcess, stripe: "StripeClient", inbox: Inbox) -> None:
    sandbox.pay(a_checkout(stripe).id)
    sandbox.settle()

    events = [_read(stripe, letter) for letter in inbox.letters]
    completed = next(event for event in events if event.type == "checkout.session.completed")
    assert (completed.api_version, completed.livemode) == ("2026-08-26.dahlia", False)
    assert completed.data.object["payment_status"] == "paid"
    assert {event.id for event in events} == {event["id"] for event in sandbox.objects("event")}
    assert {event["pending_webhooks"] for event in sandbox.objects("event")} == {0}


def test_an_event_tells_which_request_caused_it(sandbox: SandboxProcess, stripe: "StripeClient", inbox: Inbox) -> None:
    customer = stripe.v1.customers.create({"email": "ada@example.com"}, {"idempotency_key": "customer:1"})
    stripe.v1.customers.update(customer.id, {"name": "Ada", "metadata": {"plan": "pro"}})
    sandbox.settle()

    created, updated = sorted((_read(stripe, letter) for letter in inbox.letters), key=lambda event: event.type)
    assert created.request is not None
    assert created.request.idempotency_key == "customer:1"
    assert str(created.request.id).startswith("req_")
    previous = updated.data.to_dict()["previous_attributes"]
    assert previous == {"name": None, "metadata": {"plan": None}}


def test_a_changed_body_is_no_longer_signed(sandbox: SandboxProcess, stripe: "StripeClient", inbox: Inbox) -> None:
    import stripe as sdk

    a_customer(stripe)
    sandbox.settle()
    letter = inbox.letters[0]

    with pytest.raises(sdk.SignatureVerificationError):
        _read(stripe, Letter(letter.body.replace(b"ada@", b"eve@"), letter.signature))
    reordered = json.dumps(json.loads(letter.body)).encode()
    with pytest.raises(sdk.SignatureVerificationError):
        _read(stripe, Letter(reordered, letter.signature))


@pytest.mark.parametrize("how", [{"forged": True}, {"age_seconds": 600}])
def test_forged_and_stale_posts_can_be_made(
    sandbox: SandboxProcess, stripe: "StripeClient", inbox: Inbox, how: dict[str, Any]
) -> None:
    import stripe as sdk

    a_customer(stripe)
    sandbox.settle()
    inbox.letters.clear()

    event = sandbox.objects("event")[0]["id"]
    sent = sandbox.control("POST", "/sandbox/webhooks/send", event=event, **how)

    assert sent["statuses"] == [200]
    with pytest.raises(sdk.SignatureVerificationError):
        _read(stripe, inbox.letters[0])


def test_one_event_can_come_three_times_at_once(sandbox: SandboxProcess, stripe: "StripeClient", inbox: Inbox) -> None:
    a_customer(stripe)
    sandbox.settle()
    inbox.letters.clear()

    event = sandbox.objects("event")[0]["id"]
    sent = sandbox.control("POST", "/sandbox/webhooks/send", event=event, times=3, concurrently=True)

    assert sent["statuses"] == [200, 200, 200]
    assert [_read(stripe, letter).id for letter in inbox.letters] == [event] * 3


def test_refused_posts_are_tried_again(sandbox: SandboxProcess, stripe: "StripeClient", inbox: Inbox) -> None:
    sandbox.webhooks(retry_seconds=0.01)
    inbox.refuses = 2
    a_customer(stripe)
    sandbox.settle()

    assert len(inbox.letters) == 1
    (delivery,) = _deliveries(sandbox)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 3)


def test_in_the_end_it_gives_up(sandbox: SandboxProcess, stripe: "StripeClient", inbox: Inbox) -> None:
    sandbox.webhooks(retry_seconds=0.01, max_attempts=3)
    inbox.refuses = 99
    a_customer(stripe)
    sandbox.settle()

    assert [delivery["state"] for delivery in _deliveries(sandbox)] == ["failed"]
    undelivered = stripe.v1.events.list({"delivery_success": False}).data
    assert [event.type for event in undelivered] == ["customer.created"]


def test_every_webhook_can_be_lost_and_the_events_are_still_listed(
    sandbox: SandboxProcess, stripe: "StripeClient", inbox: Inbox
) -> None:
    sandbox.webhooks(drop=1.0)
    sandbox.pay(a_checkout(stripe).id)
    sandbox.settle()

    assert inbox.letters == []
    assert {delivery["state"] for delivery in _deliveries(sandbox)} == {"dropped"}
    listed = stripe.v1.events.list({"type": "checkout.session.completed", "created": {"gte": 0}}).data
    assert [event.data.object["payment_status"] for event in listed] == ["paid"]


def test_a_courier_who_loses_doubles_and_shuffles(
    sandbox: SandboxProcess, stripe: "StripeClient", inbox: Inbox
) -> None:
    sandbox.webhooks(paused=True)
    for _ in range(60):
        a_customer(stripe)
    made = [event["id"] for event in reversed(sandbox.objects("event"))]
    sandbox.webhooks(paused=False, drop=0.3, duplicate=0.5, shuffle=True, seed="7")
    sandbox.settle()

    came = [_read(stripe, letter).id for letter in inbox.letters]
    times = Counter(came)
    assert set(times.values()) == {1, 2}
    assert 0 < len(times) < 60
    lost = {delivery["event"] for delivery in _deliveries(sandbox) if delivery["state"] == "dropped"}
    assert set(times) | lost == set(made)
    assert not set(times) & lost
    assert came != sorted(came, key=made.index)


def test_a_paused_courier_keeps_everything(sandbox: SandboxProcess, stripe: "StripeClient", inbox: Inbox) -> None:
    sandbox.webhooks(paused=True)
    a_customer(stripe)
    sandbox.settle()
    assert inbox.letters == []

    assert sandbox.control("POST", "/sandbox/webhooks/deliver") == {"released": 1, "settled": True}
    assert len(inbox.letters) == 1


def test_delays_are_taken(sandbox: SandboxProcess, stripe: "StripeClient", inbox: Inbox) -> None:
    sandbox.webhooks(delay_seconds=0.3, seed="1")
    began = time.monotonic()
    for _ in range(5):
        a_customer(stripe)
    sandbox.settle()

    assert len(inbox.letters) == 5
    assert time.monotonic() - began > 0.05


def test_endpoints_get_what_they_asked_for(sandbox: SandboxProcess, stripe: "StripeClient", inbox: Inbox) -> None:
    elsewhere = stripe.v1.webhook_endpoints.create(
        {"url": inbox.url + "/other", "enabled_events": ["customer.updated"], "metadata": {"for": "test"}}
    )
    assert str(elsewhere.secret).startswith("whsec_")
    assert stripe.v1.webhook_endpoints.retrieve(elsewhere.id).to_dict().get("secret") is None
    customer = a_customer(stripe)
    stripe.v1.customers.update(customer.id, {"name": "Eve"})
    sandbox.settle()

    to_both = [delivery["type"] for delivery in _deliveries(sandbox) if delivery["endpoint"] == elsewhere.id]
    assert (to_both, len(inbox.letters)) == (["customer.updated"], 3)
    signed_here = [letter for letter in inbox.letters if _signed_with(stripe, letter, str(elsewhere.secret))]
    assert len(signed_here) == 1


def test_nothing_is_sent_to_the_internet(sandbox: SandboxProcess, stripe: "StripeClient", inbox: Inbox) -> None:
    stripe.v1.webhook_endpoints.create({"url": "https://shop.example/hooks", "enabled_events": ["*"]})
    a_customer(stripe)
    sandbox.settle()

    failed = [delivery for delivery in _deliveries(sandbox) if delivery["state"] == "failed"]
    assert [delivery["detail"] for delivery in failed] == ["the sandbox sends nothing to shop.example"]
    assert len(inbox.letters) == 1


def test_a_test_may_bring_the_letters_itself(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    a_customer(stripe)
    (first,) = sandbox.letters()
    sandbox.pay(a_checkout(stripe).id)

    later = sandbox.letters(after=first["event"])
    assert [letter["type"] for letter in (first, *later)] == [
        event["type"] for event in reversed(sandbox.objects("event"))
    ]
    for letter in later:
        assert _read(stripe, Letter(letter["body"].encode(), letter["signature"])).id == letter["event"]


def test_what_is_undone_tells_nobody(sandbox: SandboxProcess, stripe: "StripeClient", inbox: Inbox) -> None:
    import stripe as sdk

    with pytest.raises(sdk.CardError):
        stripe.v1.customers.create({"payment_method": "pm_card_visa_chargeDeclined"})
    sandbox.settle()

    assert (inbox.letters, sandbox.objects("event"), sandbox.objects("customer")) == ([], [], [])


def _read(stripe: "StripeClient", letter: Letter) -> "Event":
    """As the service does it: verified on the raw body."""
    return stripe.construct_event(letter.body, letter.signature, SECRET)


def _signed_with(stripe: "StripeClient", letter: Letter, secret: str) -> bool:
    import stripe as sdk

    try:
        stripe.construct_event(letter.body, letter.signature, secret)
    except sdk.SignatureVerificationError:
        return False
    return True


def _deliveries(sandbox: SandboxProcess) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.control("GET", "/sandbox/webhooks")["deliveries"]
    return found
