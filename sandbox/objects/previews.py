"""What the next invoice would say (https://docs.stripe.com/api/invoices/create_preview): done for real, then undone."""

from copy import deepcopy

from sandbox.errors import InvalidRequest, Obj
from sandbox.objects import invoicing, lifecycle, proration
from sandbox.objects.changing import change_plan
from sandbox.objects.invoice_lines import Period, put_lines, sum_up
from sandbox.params import Params
from sandbox.routes import v1
from sandbox.world import World


@v1.post("/v1/invoices/create_preview")
def create_preview(world: World, params: Params) -> Obj:
    """The renewal of a subscription, with the changes in ``subscription_details`` applied first.

    With `proration_behavior` ``always_invoice`` it is the invoice that the change itself would bring, at once.
    """
    name = params.needed("subscription")
    customer = params.text("customer")
    details = params.child("subscription_details")
    prorates = details.choice(
        "proration_behavior", "create_prorations", ("create_prorations", "always_invoice", "none")
    )
    with world.rehearsal():
        subscription = world.named("subscription", name, "subscription")
        if customer is not None and customer != subscription["customer"]:
            raise InvalidRequest("The subscription belongs to another customer.", param="customer")
        return deepcopy(_rehearse(world, subscription, details, prorates))


def _rehearse(world: World, subscription: Obj, details: Params, prorates: str) -> Obj:
    now = world.now(subscription)
    latest = subscription["latest_invoice"]
    sent = details.children("items")
    if sent:
        change_plan(
            world,
            subscription,
            proration.read_changes(world, subscription, sent),
            prorates=prorates,
            payment_behavior="default_incomplete",
            at=details.integer("proration_date") or now,
            restarts=False,
        )
    if subscription["latest_invoice"] != latest:
        invoice = world.get("invoice", subscription["latest_invoice"])
    else:
        invoice = _renewal(world, subscription)
    invoice.update(
        id=f"upcoming_{invoice['id']}", status="draft", number=None, hosted_invoice_url=None, invoice_pdf=None
    )
    return invoice


def _renewal(world: World, subscription: Obj) -> Obj:
    was = lifecycle.period(subscription)
    invoice = invoicing.draft(
        world,
        world.get("customer", subscription["customer"]),
        currency=subscription["currency"],
        billing_reason="upcoming",
        period=Period(was.start, was.end),
        subscription=subscription,
        collection_method=subscription["collection_method"],
    )
    lifecycle.next_period(subscription)
    put_lines(invoice, lifecycle.period_lines(world, subscription))
    invoicing.take_pending_items(world, invoice)
    sum_up(world, invoice)
    return invoice
