"""Refunds (https://docs.stripe.com/api/refunds), whole or in part."""

from sandbox.errors import InvalidRequest, Obj
from sandbox.listing import listed, page
from sandbox.money import check_granularity, display
from sandbox.objects import balance
from sandbox.objects.fields import merge_metadata, metadata
from sandbox.params import Params
from sandbox.routes import v1
from sandbox.world import World

_REASONS = ("duplicate", "fraudulent", "requested_by_customer")


@v1.post("/v1/refunds")
def create(world: World, params: Params) -> Obj:
    charge = _charge(world, params)
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = params.integer("amount")
    if charge["refunded"] or (amount is None and left == 0):
        raise InvalidRequest(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if _is_charged_back(world, charge):
        raise InvalidRequest(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
        )
    amount = left if amount is None else amount
    if amount < 1:
        raise InvalidRequest("This value must be greater than or equal to 1.", param="amount")
    if amount > left:
        asked, rest = display(amount, charge["currency"]), display(left, charge["currency"])
        raise InvalidRequest(
            f"Refund amount ({asked}) is greater than unrefunded amount on charge ({rest})", param="amount"
        )
    check_granularity(amount, charge["currency"])
    reason = params.choice("reason", "requested_by_customer", _REASONS) if params.has("reason") else None
    return refund_charge(world, charge, amount=amount, reason=reason, metadata=metadata(params))


def refund_charge(world: World, charge: Obj, *, amount: int, reason: str | None, metadata: dict[str, str]) -> Obj:
    """Give back this much, which is checked to be there. Stripe keeps its fee."""
    refund = world.adopt(
        {
            "id": world.new_id("refund"),
            "object": "refund",
            "amount": amount,
            "balance_transaction": None,
            "charge": charge["id"],
            "created": world.now(),
            "currency": charge["currency"],
            "destination_details": {"type": "card", "card": {"reference_status": "pending", "type": "refund"}},
            "metadata": metadata,
            "payment_intent": charge["payment_intent"],
            "reason": reason,
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": "succeeded",
            "transfer_reversal": None,
        }
    )
    refund["balance_transaction"] = balance.move(world, refund, kind="refund", amount=-amount)["id"]
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    world.emit("refund.created", refund)
    world.emit_updated("charge.refunded", charge)
    return refund


def fail(world: World, refund: Obj) -> None:
    """The bank sends the money back, days later: the refund did not happen after all."""
    if refund["status"] != "succeeded":
        raise InvalidRequest(f"This refund is {refund['status']} already.")
    charge = world.get("charge", refund["charge"])
    refund["status"], refund["failure_reason"] = "failed", "lost_or_stolen_card"
    moved = balance.move(world, refund, kind="refund_failure", amount=refund["amount"])
    refund["failure_balance_transaction"] = moved["id"]
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    world.emit_updated("refund.updated", refund)
    world.emit("refund.failed", refund)
    world.emit_updated("charge.updated", charge)


@v1.get("/v1/refunds/{refund}")
def retrieve(world: World, params: Params, refund: str) -> Obj:
    return world.get("refund", refund)


@v1.post("/v1/refunds/{refund}")
def update(world: World, params: Params, refund: str) -> Obj:
    found = world.get("refund", refund)
    merge_metadata(found, params)
    world.emit_updated("refund.updated", found)
    return found


@v1.get("/v1/refunds")
def list_all(world: World, params: Params) -> Obj:
    return page(world, params, "refund", "/v1/refunds", equal=("charge", "payment_intent"))


def _charge(world: World, params: Params) -> Obj:
    if params.has("charge"):
        charge = world.named("charge", params.needed("charge"), "charge")
        params.accept("payment_intent")
    elif params.has("payment_intent"):
        intent = world.named("payment_intent", params.needed("payment_intent"), "payment_intent")
        if intent["status"] != "succeeded":
            raise InvalidRequest(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                param="payment_intent",
            )
        charge = world.get("charge", intent["latest_charge"])
    else:
        raise InvalidRequest(
            "One of the following params should be provided for this request: payment_intent or charge."
        )
    if not charge["paid"]:
        raise InvalidRequest(f"Charge {charge['id']} did not succeed, so there is nothing to refund.", param="charge")
    return charge


def _is_charged_back(world: World, charge: Obj) -> bool:
    return any(dispute["status"] != "won" for dispute in world.store.find("dispute", charge=charge["id"]))


def refunds_of(world: World, charge: Obj) -> Obj:
    """A charge's ``refunds``, shown when expanded."""
    return listed(world.store.find("refund", charge=charge["id"]), f"/v1/charges/{charge['id']}/refunds")
