"""The life of an invoice: drafted, finalised, paid or not (https://docs.stripe.com/invoicing/overview). No routes."""

from sandbox.cards import Decline
from sandbox.errors import InvalidRequest, Obj
from sandbox.money import smallest_charge
from sandbox.objects import payment_methods, payments
from sandbox.objects.invoice_lines import Period, item_line, put_lines, sum_up
from sandbox.world import World

DAY = 86400


def draft(
    world: World,
    customer: Obj,
    *,
    currency: str,
    billing_reason: str,
    period: Period,
    lines: list[Obj] | None = None,
    subscription: Obj | None = None,
    auto_advance: bool = False,
    collection_method: str = "charge_automatically",
    **fields: object,
) -> Obj:
    """A new draft with these lines, its totals right; the caller tells that it was created."""
    identifier = world.new_id("invoice")
    created = world.now(customer)
    template: Obj = {
        "id": identifier,
        "account_country": "US",
        "account_name": "SANDBOX",
        "account_tax_ids": None,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_paid_off_stripe": 0,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": auto_advance,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "automatically_finalizes_at": None,
        "billing_reason": billing_reason,
        "collection_method": collection_method,
        "currency": currency,
        "custom_fields": None,
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": None,
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "effective_at": None,
        "ending_balance": None,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": {"object": "list", "data": [], "has_more": False, "url": f"/v1/invoices/{identifier}/lines"},
        "metadata": {},
        "next_payment_attempt": None,
        "number": None,
        "on_behalf_of": None,
        "parent": _parent(subscription),
        "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        "period_end": period.end,
        "period_start": period.start,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": customer["balance"],
        "statement_descriptor": None,
        "status": "draft",
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "test_clock": customer["test_clock"],
        "total_discount_amounts": [],
        "total_pretax_credit_amounts": [],
        "webhooks_delivered_at": created,
        "_subscription": None if subscription is None else subscription["id"],
        "_intent": None,
    }
    invoice = world.adopt(template | world.basics("invoice", customer) | fields)
    if subscription is not None:
        invoice["automatic_tax"]["enabled"] = subscription["automatic_tax"]["enabled"]
    put_lines(invoice, lines or [])
    sum_up(world, invoice)
    customer["currency"] = customer["currency"] or currency
    schedule(world, invoice)
    return invoice


def schedule(world: World, invoice: Obj) -> None:
    """When the invoice goes on by itself, if it does."""
    invoice["automatically_finalizes_at"] = invoice["_due"] = None
    if invoice["status"] == "draft" and invoice["auto_advance"]:
        invoice["automatically_finalizes_at"] = invoice["created"] + world.settings.draft_seconds
        invoice["_due"] = invoice["automatically_finalizes_at"]
    elif invoice["status"] == "open":
        invoice["_due"] = invoice["next_payment_attempt"]


def take_pending_items(world: World, invoice: Obj) -> None:
    """Invoice items that waited for this customer's next invoice become its lines, oldest first."""
    waiting = world.store.find("invoiceitem", customer=invoice["customer"], invoice=None, currency=invoice["currency"])
    for item in reversed(waiting):
        if item["_subscription"] in {None, invoice["_subscription"]}:
            item["invoice"] = invoice["id"]
            put_lines(invoice, [item_line(world, item)])
    sum_up(world, invoice)


def finalize(world: World, invoice: Obj, *, intent: Obj | None = None) -> None:
    """No more changes: a number, what is due, and the payment intent that will pay it. Nothing due is paid at once.

    `intent`: what has paid it already, at a checkout; then the customer's balance has no part in it.
    """
    if invoice["status"] != "draft":
        raise InvalidRequest("This invoice is already finalized, you can't re-finalize it.")
    customer = world.get("customer", invoice["customer"])
    now = world.now(customer)
    sum_up(world, invoice)
    if intent is None:
        _settle_with_balance(invoice, customer)
    else:
        invoice.update(amount_due=invoice["total"], amount_remaining=invoice["total"])
    number = customer["next_invoice_sequence"]
    customer["next_invoice_sequence"] = number + 1
    address = world.secret(invoice["id"], 32)
    invoice["status_transitions"]["finalized_at"] = now
    invoice.update(
        status="open",
        number=f"{customer['invoice_prefix']}-{number:04d}",
        effective_at=now,
        hosted_invoice_url=f"{world.base_url}/invoice/{invoice['id']}/{address}",
        invoice_pdf=f"{world.base_url}/invoice/{invoice['id']}/{address}/pdf",
        _address=address,
    )
    if invoice["automatic_tax"]["enabled"]:
        invoice["automatic_tax"]["status"] = "complete"
    schedule(world, invoice)
    if intent is not None:
        record_payment(world, invoice, intent)
    elif invoice["amount_due"]:
        _await_payment(world, invoice)
    world.emit("invoice.finalized", invoice)
    if intent is not None or not invoice["amount_due"]:
        mark_paid(world, invoice)


def attempt(world: World, invoice: Obj, method: Obj | None = None) -> Decline | None:
    """Charge an open invoice's card, or another one. A decline, or no card at all, is answered, not raised."""
    if invoice["status"] not in {"open", "uncollectible"}:
        raise InvalidRequest(
            f"Invoice is already {invoice['status']}" if invoice["status"] != "draft" else "Invoice is a draft"
        )
    method = method or default_method(world, invoice)
    invoice["attempted"] = True
    invoice["attempt_count"] += 1
    invoice["next_payment_attempt"] = None
    if method is None:
        _failed(world, invoice)
        return None
    intent = world.get("payment_intent", invoice["_intent"])
    if intent["status"] in payments.WAITING:
        payments.choose(intent, method)
        decline = payments.attempt(world, intent, off_session=False, return_url=invoice["hosted_invoice_url"])
        follow_intent(world, invoice, intent)
        return decline
    return None


def follow_intent(world: World, invoice: Obj, intent: Obj) -> None:
    """Bring an unpaid invoice in line with its payment intent."""
    if invoice["status"] not in {"open", "uncollectible"}:
        return
    if intent["status"] == "succeeded":
        mark_paid(world, invoice)
    elif intent["status"] == "requires_action":
        world.emit("invoice.payment_action_required", invoice)
        _failed(world, invoice)
    elif intent["status"] == "requires_payment_method":
        _failed(world, invoice)


def mark_paid(world: World, invoice: Obj, *, out_of_band: bool = False) -> None:
    """All that is due has come; `out_of_band`, by a way Stripe did not see."""
    now = world.now(world.get("customer", invoice["customer"]))
    invoice["status_transitions"]["paid_at"] = now
    invoice.update(
        status="paid",
        attempted=True,
        amount_paid=invoice["amount_due"],
        amount_paid_off_stripe=invoice["amount_due"] if out_of_band else 0,
        amount_remaining=0,
        next_payment_attempt=None,
    )
    schedule(world, invoice)
    if invoice["_intent"] is not None and not out_of_band:
        payment = _payment(world, invoice)
        payment.update(status="paid", amount_paid=invoice["amount_due"])
        payment["status_transitions"]["paid_at"] = now
        world.emit("invoice_payment.paid", payment)
    elif invoice["_intent"] is not None:
        _cancel_payment(world, invoice)
    world.emit_updated("invoice.updated", invoice)
    world.emit("invoice.paid", invoice)
    world.emit("invoice.payment_succeeded", invoice)


def void(world: World, invoice: Obj) -> None:
    if invoice["status"] not in {"open", "uncollectible"}:
        raise InvalidRequest(
            f"You can only pass in open or uncollectible invoices. This invoice is {invoice['status']}."
        )
    _close(world, invoice, "void", "voided_at")
    _cancel_payment(world, invoice)
    world.emit("invoice.voided", invoice)


def mark_uncollectible(world: World, invoice: Obj) -> None:
    if invoice["status"] not in {"draft", "open"}:
        raise InvalidRequest(f"This invoice is {invoice['status']}; it cannot be marked uncollectible.")
    _close(world, invoice, "uncollectible", "marked_uncollectible_at")
    world.emit("invoice.marked_uncollectible", invoice)


def default_method(world: World, invoice: Obj) -> Obj | None:
    """The card that would be charged: the invoice's own, else its subscription's, else the customer's."""
    subscription = world.get("subscription", invoice["_subscription"]) if invoice["_subscription"] else None
    customer = world.get("customer", invoice["customer"])
    chosen = (
        invoice["default_payment_method"]
        or (subscription and subscription["default_payment_method"])
        or customer["invoice_settings"]["default_payment_method"]
    )
    return world.get("payment_method", chosen) if chosen else None


def record_payment(world: World, invoice: Obj, intent: Obj) -> None:
    """Tie an intent to the invoice it pays."""
    invoice["_intent"], intent["_invoice"] = intent["id"], invoice["id"]
    world.new(
        "invoice_payment",
        world.get("customer", invoice["customer"]),
        amount_paid=None,
        amount_requested=intent["amount"],
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=True,
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
        status="open",
        status_transitions={"canceled_at": None, "paid_at": None},
    )


def _await_payment(world: World, invoice: Obj) -> None:
    intent = payments.new_intent(
        world,
        amount=invoice["amount_due"],
        currency=invoice["currency"],
        customer=invoice["customer"],
        description=f"Payment for invoice {invoice['number']}",
        setup_future_usage="off_session" if invoice["_subscription"] else None,
    )
    record_payment(world, invoice, intent)


def _settle_with_balance(invoice: Obj, customer: Obj) -> None:
    """Credit the customer has pays first; what is too little to charge waits for the next invoice."""
    owed = invoice["total"] + customer["balance"]
    due = owed if owed >= smallest_charge(invoice["currency"]) else 0
    invoice.update(
        starting_balance=customer["balance"], ending_balance=owed - due, amount_due=due, amount_remaining=due
    )
    customer["balance"] = owed - due


def _failed(world: World, invoice: Obj) -> None:
    waits = world.settings.retry_after_days
    retried = invoice["auto_advance"] and invoice["billing_reason"] != "subscription_create"
    if retried and invoice["attempt_count"] <= len(waits):
        now = world.now(world.get("customer", invoice["customer"]))
        invoice["next_payment_attempt"] = now + waits[invoice["attempt_count"] - 1] * DAY
    else:
        invoice["next_payment_attempt"] = None
    schedule(world, invoice)
    world.emit_updated("invoice.updated", invoice)
    world.emit("invoice.payment_failed", invoice)


def _close(world: World, invoice: Obj, status: str, stamp: str) -> None:
    invoice["status_transitions"][stamp] = world.now(world.get("customer", invoice["customer"]))
    invoice.update(status=status, auto_advance=False, next_payment_attempt=None)
    schedule(world, invoice)
    world.emit_updated("invoice.updated", invoice)


def _cancel_payment(world: World, invoice: Obj) -> None:
    if invoice["_intent"] is None:
        return
    intent = world.get("payment_intent", invoice["_intent"])
    if intent["status"] in payments.WAITING:
        payments.cancel(world, intent, "void_invoice")
    payment = _payment(world, invoice)
    payment["status"] = "canceled"
    payment["status_transitions"]["canceled_at"] = world.now(world.get("customer", invoice["customer"]))


def _payment(world: World, invoice: Obj) -> Obj:
    return world.store.find("invoice_payment", invoice=invoice["id"])[0]


def _parent(subscription: Obj | None) -> Obj | None:
    if subscription is None:
        return None
    details = {"metadata": dict(subscription["metadata"]), "subscription": subscription["id"]}
    return {"type": "subscription_details", "quote_details": None, "subscription_details": details}


def usable_method(world: World, name: str, customer: Obj) -> Obj:
    """A payment method for this customer's invoices: theirs, or a test token, which becomes theirs."""
    method = payment_methods.usable(world, name)
    if method["customer"] is None:
        payment_methods.attach(world, method, customer)
    if method["customer"] != customer["id"]:
        raise InvalidRequest("The payment method must belong to the customer.", param="payment_method")
    return method
