"""What happens is told: signed, in time, again where it did not arrive, and to nobody else."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from billing.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from billing.outgoing import delivering
from billing.outgoing.delivering import CLAIM, TRIES, claim_due, deliver_due, keep_outcome, send_again
from billing.outgoing.dispatching import dispatch_some, dispatch_waiting
from billing.outgoing.endpoints import change_endpoint, create_endpoint, delete_endpoint, rotate_secret, send_test
from billing.outgoing.problems import WebhookEndpointDisabled
from billing.outgoing.sending import Outcome
from billing.tasks import send_webhooks
from entitlements.models import OutboxMessage
from kernel.clock import format_instant
from tests.billing.outgoing.conftest import Listener
from tests.world import Actor, World, in_parallel

Says = Callable[..., None]


def sends(now: datetime) -> int:
    """What the queue's task does once."""
    dispatch_waiting(now)
    return deliver_due(now)


def delivery() -> WebhookDelivery:
    return WebhookDelivery.objects.get()


def test_a_message_arrives_signed_and_its_delivery_says_so(
    listener: Listener, endpoint: WebhookEndpoint, says: Says, now: datetime
) -> None:
    says("balance.low", available="18.5", threshold="20")
    assert sends(now) == 1
    (heard,) = listener.heard
    message = OutboxMessage.objects.get()
    assert heard.verified_with(endpoint.secret) == {
        "type": "balance.low",
        "timestamp": format_instant(message.created_at),
        "data": {"customer": "acme", "available": "18.5", "threshold": "20"},
    }
    assert heard.headers["content-type"] == "application/json"
    assert heard.headers["host"] == listener.url.split("/")[2]
    assert heard.id == f"msg_{message.pk}"
    assert message.dispatched_at == now
    row = delivery()
    assert (row.state, row.attempts, row.last_status, row.last_error) == ("delivered", 1, 204, "")
    assert list(row.tries.values_list("status", "error")) == [(204, "")]
    assert sends(now + timedelta(days=2)) == 0
    assert len(listener.heard) == 1


def test_a_changed_body_does_not_verify(
    listener: Listener, endpoint: WebhookEndpoint, says: Says, now: datetime
) -> None:
    says("balance.low", available="1")
    sends(now)
    (heard,) = listener.heard
    heard.body = heard.body.replace("acme", "acne")
    with pytest.raises(WebhookVerificationError):
        heard.verified_with(endpoint.secret)


def test_both_secrets_verify_until_the_former_one_ends(
    listener: Listener, endpoint: WebhookEndpoint, says: Says, now: datetime
) -> None:
    former = endpoint.secret
    present = rotate_secret(endpoint.pk, now, timedelta(seconds=60)).secret
    says("balance.low", key="during")
    sends(now + timedelta(seconds=59))
    says("balance.low", key="after")
    sends(now + timedelta(seconds=60))
    during, after = listener.heard
    assert during.verified_with(present) == during.verified_with(former)
    assert after.verified_with(present)
    with pytest.raises(WebhookVerificationError):
        after.verified_with(former)


def test_a_secret_that_leaked_ends_at_once(
    listener: Listener, endpoint: WebhookEndpoint, says: Says, now: datetime
) -> None:
    rotate_secret(endpoint.pk, now)
    rotated = rotate_secret(endpoint.pk, now, timedelta(0))
    says("balance.low")
    sends(now)
    assert listener.heard[0].verified_with(rotated.secret)
    assert listener.heard[0].headers["webhook-signature"].count("v1,") == 1


def test_what_does_not_arrive_is_tried_again_by_the_schedule_and_then_given_up(
    endpoint: WebhookEndpoint, says: Says, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids: list[str] = []
    bodies: set[str] = set()

    def fails(letters: Any) -> list[Outcome]:
        ids.extend(letter.headers["webhook-id"] for letter in letters)
        bodies.update(letter.body for letter in letters)
        return [Outcome(500, "answered 500", 1000) for _ in letters]

    monkeypatch.setattr(delivering, "send_all", fails)
    says("balance.low")
    waits: list[timedelta] = []
    at = now
    while sends(at):
        row = delivery()
        if row.next_try_at is None:
            break
        assert sends(row.next_try_at - timedelta(microseconds=1)) == 0
        waits.append(row.next_try_at - at - timedelta(seconds=1))  # the try took one
        at = row.next_try_at
    hours = [timedelta(hours=each) for each in (2, 5, 10, 14, 20, 24)]
    assert waits == [timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), *hours]
    assert (row.state, row.attempts) == ("failed", TRIES)
    assert row.tries.count() == len(ids) == TRIES == 10
    assert (len(set(ids)), len(bodies)) == (1, 1)
    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.failing_since) == (True, now)


def test_an_endpoint_that_mends_hears_what_waited_and_fails_no_more(
    listener: Listener, endpoint: WebhookEndpoint, says: Says, now: datetime
) -> None:
    listener.answers = [(503, {}, b"busy \0 now"), 200]
    says("balance.low")
    sends(now)
    row = delivery()
    assert (row.state, row.last_status, row.last_error) == ("waiting", 503, "answered 503")
    assert row.tries.get().response == "busy \N{REPLACEMENT CHARACTER} now"
    assert WebhookEndpoint.objects.get().failing_since == now
    sends(row.next_try_at or now)
    assert (delivery().state, WebhookEndpoint.objects.get().failing_since) == ("delivered", None)
    assert len({heard.id for heard in listener.heard}) == 1


def test_an_endpoint_that_is_gone_is_told_nothing_more(
    listener: Listener, endpoint: WebhookEndpoint, says: Says, now: datetime
) -> None:
    listener.answers = [410]
    says("balance.low", key="one")
    sends(now)
    says("balance.low", key="two")
    assert sends(now + timedelta(days=1)) == 0
    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.disabled_reason) == (False, "It answered 410 Gone.")
    assert (delivery().state, len(listener.heard)) == ("failed", 1)
    with pytest.raises(WebhookEndpointDisabled):
        send_again(delivery().pk, now)
    with pytest.raises(WebhookEndpointDisabled):
        send_test(endpoint.pk, now)
    assert change_endpoint(endpoint.pk, {"enabled": True}).disabled_reason == ""


def test_redirects_are_not_followed(listener: Listener, endpoint: WebhookEndpoint, says: Says, now: datetime) -> None:
    listener.answers = [(302, {"location": listener.url + "/elsewhere"}, b"")]
    says("balance.low")
    sends(now)
    assert [heard.path for heard in listener.heard] == ["/weir"]
    assert (delivery().state, delivery().last_error) == ("waiting", "redirects are not followed")


def test_of_a_long_answer_only_the_beginning_is_kept(
    listener: Listener, endpoint: WebhookEndpoint, says: Says, now: datetime
) -> None:
    listener.answers = [(200, {}, b"x" * 1_000_000)]
    says("balance.low")
    sends(now)
    assert (delivery().state, len(WebhookAttempt.objects.get().response)) == ("delivered", 2000)


def test_nobody_listening_is_a_failure_like_any_other(listener: Listener, says: Says, now: datetime) -> None:
    create_endpoint("http://127.0.0.1:9/nobody", now)
    says("balance.low")
    sends(now)
    assert (delivery().state, delivery().last_status) == ("waiting", None)
    assert delivery().last_error.startswith("ConnectError")


def test_endpoints_are_told_what_they_asked_for_from_when_they_were_made(
    listener: Listener, says: Says, now: datetime
) -> None:
    says("balance.low", key="before anybody listened")
    later = now + timedelta(seconds=1)
    create_endpoint(listener.url + "/balances", now, event_types=["balance.low", "balance.exhausted"])
    create_endpoint(listener.url + "/later", later)
    create_endpoint(listener.url + "/off", now, enabled=False)
    says("top_up.succeeded", credits="100")
    sends(later)
    assert [(heard.path, heard.json["type"]) for heard in listener.heard] == [("/weir/balances", "balance.low")]
    assert OutboxMessage.objects.filter(dispatched_at=None).count() == 0


def test_a_message_of_one_customer_says_nothing_of_another(
    listener: Listener, endpoint: WebhookEndpoint, says: Says, now: datetime
) -> None:
    for number in range(6):
        says("balance.low", customer=f"customer-{number % 3}", key=str(number), available=f"{number}.5")
    assert sends(now) == 6
    seen = {heard.json["data"]["available"]: heard for heard in listener.heard}
    for number in range(6):
        heard = seen[f"{number}.5"]
        assert heard.json["data"] == {"customer": f"customer-{number % 3}", "available": f"{number}.5"}
        assert "customer-" not in heard.body.replace(f"customer-{number % 3}", "")


def test_limits_are_told_in_the_units_of_the_api(
    listener: Listener, endpoint: WebhookEndpoint, says: Says, now: datetime
) -> None:
    for unit, used in (("credits", 410_250_000), ("cost", 1_500_000_000), ("calls", 9)):
        says("limit.threshold", key=unit, unit=unit, used=str(used), value=str(used * 2))
    sends(now)
    told = {heard.json["data"]["unit"]: heard.json["data"] for heard in listener.heard}
    assert {unit: (data["used"], data["value"]) for unit, data in told.items()} == {
        "credits": ("410.25", "820.5"),
        "cost": ("1.5", "3"),
        "calls": ("9", "18"),
    }


def test_a_balance_used_up_is_told_through_everything_between(
    listener: Listener, endpoint: WebhookEndpoint, now: datetime
) -> None:
    acme = Actor("acme", now, World().metered)
    acme.is_granted(10)
    acme.spends(4, key="a")
    acme.spends(6, key="b")
    acme.spends(3, key="c")
    sends(now)
    (heard,) = listener.heard
    assert heard.json["type"] == "balance.exhausted"
    assert heard.json["data"] == {"customer": "acme", "available": "0", "held": "0", "debt": "0", "overage": "0"}


def test_a_worker_that_dies_after_sending_sends_again_with_the_same_id(
    listener: Listener, endpoint: WebhookEndpoint, says: Says, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    says("balance.low")
    with monkeypatch.context() as dying:
        dying.setattr(delivering, "keep_outcome", _dies)
        with pytest.raises(SystemExit):
            sends(now)
    assert sends(now + CLAIM - timedelta(microseconds=1)) == 0
    assert sends(now + CLAIM) == 1
    first, second = listener.heard
    assert (first.id, first.body) == (second.id, second.body)
    assert (delivery().state, delivery().attempts) == ("delivered", 2)


def _dies(*args: Any) -> None:
    raise SystemExit


def test_a_late_failure_does_not_undo_what_another_worker_did(
    endpoint: WebhookEndpoint, says: Says, now: datetime
) -> None:
    says("balance.low")
    dispatch_waiting(now)
    (slow,) = claim_due(now)
    (quick,) = claim_due(now + CLAIM)
    keep_outcome(quick, Outcome(200, "", 5), now + CLAIM)
    keep_outcome(slow, Outcome(None, "no answer within 15 seconds", 15000), now + CLAIM)
    assert (delivery().state, delivery().last_status, delivery().tries.count()) == ("delivered", 200, 2)


def test_what_arrived_late_has_arrived(endpoint: WebhookEndpoint, says: Says, now: datetime) -> None:
    says("balance.low")
    dispatch_waiting(now)
    (slow,) = claim_due(now)
    (_quick,) = claim_due(now + CLAIM)
    keep_outcome(slow, Outcome(200, "", 5), now + CLAIM)
    assert delivery().state == "delivered"


def test_an_endpoint_deleted_while_a_message_is_on_its_way_leaves_nothing(
    endpoint: WebhookEndpoint, says: Says, now: datetime
) -> None:
    says("balance.low")
    dispatch_waiting(now)
    (on_its_way,) = claim_due(now)
    delete_endpoint(endpoint.pk)
    keep_outcome(on_its_way, Outcome(200, "", 5), now)
    assert (WebhookDelivery.objects.count(), WebhookAttempt.objects.count()) == (0, 0)


def test_sending_again_starts_over_with_the_same_id(
    listener: Listener, endpoint: WebhookEndpoint, says: Says, now: datetime
) -> None:
    says("balance.low")
    sends(now)
    send_again(delivery().pk, now)
    assert (delivery().state, delivery().attempts, delivery().delivered_at) == ("waiting", 0, None)
    sends(now)
    assert (delivery().state, delivery().attempts, delivery().tries.count()) == ("delivered", 1, 2)
    assert len({heard.id for heard in listener.heard}) == 1


def test_a_test_goes_to_one_endpoint_whatever_it_asked_for(listener: Listener, db: None, now: datetime) -> None:
    only_low = create_endpoint(listener.url, now, event_types=["balance.low"])
    create_endpoint(listener.url + "/other", now)
    send_test(only_low.pk, now)
    sends(now)
    (heard,) = listener.heard
    assert heard.verified_with(only_low.secret)["type"] == "test"
    assert heard.json["data"] == {"endpoint": str(only_low.pk)}
    assert heard.id == f"msg_test_{delivery().pk.hex}"


def test_one_endpoints_backlog_does_not_keep_the_others_waiting(
    listener: Listener, says: Says, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "EACH", 2)
    create_endpoint(listener.url + "/all", now)
    create_endpoint(listener.url + "/late", now, event_types=["top_up.failed"])
    for number in range(5):
        says("balance.low", key=str(number))
    says("top_up.failed", key="last")
    assert sends(now) == 3
    assert sorted(heard.path for heard in listener.heard) == ["/weir/all", "/weir/all", "/weir/late"]
    assert (sends(now), sends(now), sends(now)) == (2, 2, 0)


def test_the_queues_task_sends_and_asks_for_another_round_only_after_one(
    listener: Listener, endpoint: WebhookEndpoint, says: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[Any] = []
    monkeypatch.setattr("billing.tasks.wake", woken.append)
    says("balance.low")
    send_webhooks()
    assert (len(listener.heard), woken) == (1, [send_webhooks])
    send_webhooks()
    assert (len(listener.heard), len(woken)) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_workers_dispatch_and_send_everything_once(
    listener: Listener, endpoint: WebhookEndpoint, says: Says, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing.outgoing.dispatching.BATCH", 3)
    monkeypatch.setattr(delivering, "EACH", 3)
    for number in range(12):
        says("balance.low", key=str(number))

    def work(_number: int) -> int:
        while dispatch_some(now):
            pass
        sent = 0
        while some := deliver_due(now):
            sent += some
        return sent

    counts = in_parallel(4, work)
    work(0)
    assert [count for count in counts if isinstance(count, Exception)] == []
    assert len(listener.heard) == 12
    assert len({heard.id for heard in listener.heard}) == 12
    assert set(WebhookDelivery.objects.values_list("state", "attempts")) == {("delivered", 1)}
