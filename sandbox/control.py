"""The control interface under /sandbox: what a test, or a curious person, does that Stripe has no call for.

JSON in and out, no key. Every handler is ``(house, body, *path_parts)``.
"""

from collections.abc import Callable
from datetime import datetime
from fnmatch import fnmatchcase

from sandbox import API_VERSION, timeline
from sandbox.cards import canonical, names
from sandbox.courier import letter
from sandbox.errors import InvalidRequest, Obj
from sandbox.faults import AFTER, BEFORE
from sandbox.house import House
from sandbox.objects import aftermath, checkout_completion, disputes, invoicing, lifecycle, payment_methods, refunds
from sandbox.render import public
from sandbox.routes import Routes
from sandbox.totals import totals

ROUTES = Routes()


@ROUTES.get("/sandbox")
def about(house: House, body: Obj) -> Obj:
    """What this is and how it is doing."""
    specification = house.api.specification
    return {
        "sandbox": "This is not Stripe. No real money moves.",
        "api_version": API_VERSION,
        "requests_are_checked_against": specification.version if specification else None,
        "clock": _clock(house),
        "requests": len(house.api.log),
        "violations": len(house.api.violations),
        "webhooks": house.courier.as_json(),
        "settings": house.world.settings.as_json(),
        "test_payment_methods": names(),
    }


@ROUTES.post("/sandbox/reset")
def reset(house: House, body: Obj) -> Obj:
    house.empty()
    return {"emptied": True}


@ROUTES.get("/sandbox/clock")
def clock(house: House, body: Obj) -> Obj:
    return _clock(house)


@ROUTES.post("/sandbox/clock")
def advance(house: House, body: Obj) -> Obj:
    """``{"seconds": 86400}``, ``{"days": 31}`` or ``{"to": "2026-12-01T00:00:00Z"}`` (or a Unix time)."""
    to = body.get("to")
    if to is None:
        target = house.world.now() + int(body.get("seconds", 0)) + int(body.get("days", 0)) * 86400
    else:
        target = to if isinstance(to, int) else int(datetime.fromisoformat(to).timestamp())
    timeline.advance(house.world, target)
    return _clock(house)


@ROUTES.get("/sandbox/settings")
def settings(house: House, body: Obj) -> Obj:
    return house.world.settings.as_json()


@ROUTES.post("/sandbox/settings")
def change_settings(house: House, body: Obj) -> Obj:
    return house.world.work(lambda: house.world.change_settings(body)).as_json()


@ROUTES.get("/sandbox/requests")
def requests(house: House, body: Obj) -> Obj:
    """Every request to /v1 so far, oldest first: parameters, status, whether replayed, which fault befell it.

    ``?path=/v1/payment_intents*`` shows some of them.
    """
    pattern = str(body.get("path", "*"))
    return {"requests": [one for one in list(house.api.log) if fnmatchcase(one["path"], pattern)]}


@ROUTES.get("/sandbox/violations")
def violations(house: House, body: Obj) -> Obj:
    """What Stripe would not have understood, or the sandbox does not simulate. A suite asserts that it is empty."""
    return {"violations": house.api.violations}


@ROUTES.delete("/sandbox/violations")
def forgive(house: House, body: Obj) -> Obj:
    house.api.violations.clear()
    return {"violations": []}


@ROUTES.get("/sandbox/totals")
def all_totals(house: House, body: Obj) -> Obj:
    return {"totals": house.world.work(lambda: totals(house.world))}


@ROUTES.get("/sandbox/totals/{customer}")
def totals_of(house: House, body: Obj, customer: str) -> Obj:
    return {"totals": house.world.work(lambda: totals(house.world, customer=customer))}


@ROUTES.get("/sandbox/faults")
def list_faults(house: House, body: Obj) -> Obj:
    faults = house.api.faults
    waiting = [vars(fault) for fault in faults.waiting if fault.times]
    return {"known": BEFORE | AFTER, "waiting": waiting, "shares": faults.shares}


@ROUTES.post("/sandbox/faults")
def expect_fault(house: House, body: Obj) -> Obj:
    """``{"fault": "drop_after", "method": "POST", "path": "/v1/payment_intents", "times": 1, "skip": 0}``."""
    return dict(vars(house.api.faults.expect(**body)))


@ROUTES.post("/sandbox/chaos")
def chaos(house: House, body: Obj) -> Obj:
    """``{"shares": {"rate_limited": 0.1, "drop_after": 0.05}, "seed": "7"}``: faults at random, of all requests."""
    house.api.faults.at_random(
        {name: float(share) for name, share in body.get("shares", {}).items()}, str(body.get("seed"))
    )
    return list_faults(house, body)


@ROUTES.delete("/sandbox/faults")
def clear_faults(house: House, body: Obj) -> Obj:
    house.api.faults.clear()
    return list_faults(house, body)


@ROUTES.get("/sandbox/webhooks")
def deliveries(house: House, body: Obj) -> Obj:
    """Every delivery so far, in order, and how it ended."""
    return {"deliveries": house.courier.log(state=body.get("state")), "manners": house.courier.as_json()}


@ROUTES.post("/sandbox/webhooks/manners")
def behave(house: House, body: Obj) -> Obj:
    """``{"drop": 0.5, "duplicate": 0.5, "shuffle": true, "delay_seconds": 0.2, "seed": "7"}``, ``{"paused": true}``."""
    house.courier.behave(**body)
    return house.courier.as_json()


@ROUTES.post("/sandbox/webhooks/deliver")
def deliver(house: House, body: Obj) -> Obj:
    """Bring what a paused courier kept, and wait until all is delivered or given up."""
    parcels = house.courier.release()
    settled = house.courier.settle(float(body.get("timeout_seconds", 30)))
    return {"released": parcels, "settled": settled}


@ROUTES.post("/sandbox/webhooks/settle")
def settle(house: House, body: Obj) -> Obj:
    """Wait until nothing is on its way."""
    return {"settled": house.courier.settle(float(body.get("timeout_seconds", 30)))}


@ROUTES.post("/sandbox/webhooks/send")
def send(house: House, body: Obj) -> Obj:
    """``{"event": "evt_...", "times": 3, "concurrently": true}``; also ``forged``, ``age_seconds``."""
    event = str(body.pop("event", ""))
    house.world.work(lambda: house.world.named("event", event, "event"))
    return {"statuses": house.courier.send(event, **body)}


@ROUTES.post("/sandbox/webhooks/letters")
def letters(house: House, body: Obj) -> Obj:
    """``{"secret": "whsec_...", "after": "evt_..."}``: later events as they would be posted, oldest first.

    For a test without a server of its own, which brings them itself, in whatever order and number it likes.
    """
    after = body.get("after")
    events = house.world.work(lambda: house.world.store.select("event", [], beyond=after, backwards=True))
    return {"letters": [letter(event, str(body["secret"])) for event in events]}


@ROUTES.post("/sandbox/checkout/{session}/pay")
def pay(house: House, body: Obj, session: str) -> Obj:
    """``{"payment_method": "pm_card_visa", "email": ..., "authentication": "succeeds" | "fails"}``.

    Without `authentication` a card that asks for it leaves the session open, with the link in ``next_action``.
    """
    world = house.world

    def work() -> Obj:
        found = world.get("checkout.session", session)
        name = body.get("payment_method", "pm_card_visa")
        method = payment_methods.usable(world, name) if name else None
        decline = checkout_completion.pay(world, found, method, email=body.get("email"), name=body.get("name"))
        if found["status"] == "open" and decline is None and "authentication" in body:
            decline = aftermath.authenticate(
                world, checkout_completion.intent_of(world, found), succeeds=body["authentication"] == "succeeds"
            )
        return {"session": public(found), "declined": decline and decline.code}

    return _done(house, work)


@ROUTES.post("/sandbox/authenticate/{intent}")
def authenticate(house: House, body: Obj, intent: str) -> Obj:
    """What the customer tells their bank about a payment or setup intent: ``{"succeeds": true}``."""

    def work() -> Obj:
        found = house.world.store.get(intent)
        if found is None or found["object"] not in {"payment_intent", "setup_intent"}:
            raise InvalidRequest(f"No such intent: {intent}")
        decline = aftermath.authenticate(house.world, found, succeeds=bool(body.get("succeeds", True)))
        return {"intent": public(found), "declined": decline and decline.code}

    return _done(house, work)


@ROUTES.post("/sandbox/charges/{charge}/dispute")
def dispute(house: House, body: Obj, charge: str) -> Obj:
    """``{"reason": "fraudulent", "amount": 500}``; without an amount, all that is not refunded."""
    world = house.world

    def work() -> Obj:
        found = world.get("charge", charge)
        return public(
            disputes.open_dispute(world, found, reason=body.get("reason", "general"), amount=body.get("amount"))
        )

    return _done(house, work)


@ROUTES.post("/sandbox/disputes/{dispute}/close")
def close_dispute(house: House, body: Obj, dispute: str) -> Obj:
    """``{"won": true}``."""

    def work() -> Obj:
        found = house.world.get("dispute", dispute)
        disputes.close_dispute(house.world, found, won=bool(body["won"]))
        return public(found)

    return _done(house, work)


@ROUTES.post("/sandbox/refunds/{refund}/fail")
def fail_refund(house: House, body: Obj, refund: str) -> Obj:
    """The bank sends a refund back."""

    def work() -> Obj:
        found = house.world.get("refund", refund)
        refunds.fail(house.world, found)
        return public(found)

    return _done(house, work)


@ROUTES.post("/sandbox/payment_methods/{method}")
def behave_like(house: House, body: Obj, method: str) -> Obj:
    """A saved card changes its ways, as when it expires: ``{"behaves_like": "pm_card_chargeCustomerFail"}``."""

    def work() -> Obj:
        found = house.world.get("payment_method", method)
        found["_behaves_like"] = canonical(str(body.get("behaves_like")))
        return {"id": method, "behaves_like": found["_behaves_like"]}

    return _done(house, work)


@ROUTES.post("/sandbox/invoices/{invoice}/pay")
def pay_invoice(house: House, body: Obj, invoice: str) -> Obj:
    """As the customer would on the hosted page: ``{"payment_method": "pm_card_visa"}``."""
    world = house.world

    def work() -> Obj:
        found = world.get("invoice", invoice)
        customer = world.get("customer", found["customer"])
        method = invoicing.usable_method(world, body.get("payment_method", "pm_card_visa"), customer)
        decline = invoicing.attempt(world, found, method)
        lifecycle.follow_invoice(world, found)
        return {"invoice": public(found), "declined": decline and decline.code}

    return _done(house, work)


@ROUTES.get("/sandbox/objects/{kind}")
def objects(house: House, body: Obj, kind: str) -> Obj:
    """All objects of a kind, newest first, as the API shows them: ``/sandbox/objects/payment_intent``."""
    return {"objects": house.world.work(lambda: [public(one) for one in house.world.store.find(kind)])}


def _done(house: House, work: Callable[[], Obj]) -> Obj:
    """Do it as one unit, then let happen what is due because of it."""
    with house.world.lock:
        house.world.request = {"id": None, "idempotency_key": None}
        result = house.world.work(work)
        timeline.catch_up(house.world)
        return result


def _clock(house: House) -> Obj:
    return {"now": house.world.now(), "frozen": house.world.store.setting("clock")["frozen_at"] is not None}
