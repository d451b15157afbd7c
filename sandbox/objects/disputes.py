"""Disputes (https://docs.stripe.com/api/disputes): money a bank takes back until somebody has won."""

from sandbox.errors import InvalidRequest, Obj
from sandbox.listing import page
from sandbox.money import check_granularity
from sandbox.objects import balance
from sandbox.objects.fields import merge_metadata
from sandbox.params import Params
from sandbox.render import public
from sandbox.routes import v1
from sandbox.world import World

_OPEN = ("needs_response", "under_review")
_EVIDENCE = [
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
]
_DAYS_TO_ANSWER = 7


def open_dispute(world: World, charge: Obj, *, reason: str = "general", amount: int | None = None) -> Obj:
    """The customer's bank takes the money back. Raises InvalidRequest unless the charge is paid and undisputed."""
    left = charge["amount_captured"] - charge["amount_refunded"]
    taken = left if amount is None else amount
    if charge["disputed"] or not charge["paid"] or not 0 < taken <= left:
        raise InvalidRequest("This charge cannot be disputed for that amount.", param="amount")
    check_granularity(taken, charge["currency"])
    now = world.now()
    dispute = world.new(
        "dispute",
        amount=taken,
        balance_transactions=[],
        charge=charge["id"],
        currency=charge["currency"],
        enhanced_eligibility_types=[],
        evidence=dict.fromkeys(_EVIDENCE) | {"enhanced_evidence": {}},
        evidence_details={
            "due_by": now + _DAYS_TO_ANSWER * 86400,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        is_charge_refundable=False,
        metadata={},
        payment_intent=charge["payment_intent"],
        payment_method_details={
            "type": "card",
            "card": {"brand": "visa", "case_type": "chargeback", "network": "visa", "network_reason_code": "10.4"},
        },
        reason=reason,
        status="needs_response",
    )
    charge["disputed"] = True
    _move(world, dispute, charge, amount=-taken, fee=world.fees.of_dispute(charge["currency"]), category="dispute")
    world.emit("charge.dispute.created", dispute)
    world.emit("charge.dispute.funds_withdrawn", dispute)
    world.emit_updated("charge.updated", charge)
    return dispute


def close_dispute(world: World, dispute: Obj, *, won: bool) -> None:
    """The bank decides. Won: the money comes back, the fee does not."""
    if dispute["status"] not in _OPEN:
        raise InvalidRequest(f"This dispute is already closed: it was {dispute['status']}.")
    dispute["status"] = "won" if won else "lost"
    if won:
        charge = world.get("charge", dispute["charge"])
        _move(world, dispute, charge, amount=dispute["amount"], fee=0, category="dispute_reversal")
        dispute["is_charge_refundable"] = True
        world.emit("charge.dispute.funds_reinstated", dispute)
    world.emit_updated("charge.dispute.updated", dispute)
    world.emit("charge.dispute.closed", dispute)


@v1.get("/v1/disputes/{dispute}")
def retrieve(world: World, params: Params, dispute: str) -> Obj:
    return world.get("dispute", dispute)


@v1.get("/v1/disputes")
def list_all(world: World, params: Params) -> Obj:
    return page(world, params, "dispute", "/v1/disputes", equal=("charge", "payment_intent"))


@v1.post("/v1/disputes/{dispute}")
def update(world: World, params: Params, dispute: str) -> Obj:
    """Evidence that reads ``winning_evidence`` or ``losing_evidence`` decides at once, as in Stripe's test mode."""
    found = world.get("dispute", dispute)
    merge_metadata(found, params)
    sent = params.child("evidence")
    for name in _EVIDENCE:
        if sent.has(name):
            found["evidence"][name] = sent.text(name)
            found["evidence_details"]["has_evidence"] = True
    if params.flag("submit", default=bool(sent.tree)):
        if found["status"] not in _OPEN:
            raise InvalidRequest("This dispute is closed; evidence comes too late.")
        found["evidence_details"]["submission_count"] += 1
        found["status"] = "under_review"
    world.emit_updated("charge.dispute.updated", found)
    if found["evidence"]["uncategorized_text"] in {"winning_evidence", "losing_evidence"}:
        close_dispute(world, found, won=found["evidence"]["uncategorized_text"] == "winning_evidence")
    return found


@v1.post("/v1/disputes/{dispute}/close")
def close(world: World, params: Params, dispute: str) -> Obj:
    """Accept it: as good as lost."""
    found = world.get("dispute", dispute)
    close_dispute(world, found, won=False)
    return found


def _move(world: World, dispute: Obj, charge: Obj, *, amount: int, fee: int, category: str) -> None:
    source = {"id": dispute["id"], "currency": charge["currency"], "description": f"Chargeback for {charge['id']}"}
    moved = balance.move(world, source, kind="adjustment", amount=amount, fee=fee, category=category)
    dispute["balance_transactions"].append(public(moved))
