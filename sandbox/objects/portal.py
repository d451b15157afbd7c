"""Billing portal sessions (https://docs.stripe.com/api/customer_portal/sessions): a link to the customer's own page."""

from sandbox.errors import Obj
from sandbox.params import Params
from sandbox.routes import v1
from sandbox.world import World

_FLOWS = ("payment_method_update",)


@v1.post("/v1/billing_portal/sessions")
def create(world: World, params: Params) -> Obj:
    customer = world.named("customer", params.needed("customer"), "customer")
    flow = params.child("flow_data")
    params.accept("locale")
    identifier = world.new_id("billing_portal.session")
    session: Obj = {
        "id": identifier,
        "configuration": params.text("configuration") or "bpc_sandbox",
        "customer": customer["id"],
        "flow": _flow(flow) if params.has("flow_data") else None,
        "locale": None,
        "on_behalf_of": None,
        "return_url": params.text("return_url"),
        "url": f"{world.base_url}/portal/{identifier}",
    }
    return world.adopt(session | world.basics("billing_portal.session", customer))


def _flow(sent: Params) -> Obj:
    kind = sent.choice("type", "", _FLOWS)
    after = sent.child("after_completion")
    redirect = after.child("redirect")
    return {
        "type": kind,
        "after_completion": {
            "type": after.choice("type", "portal_homepage", ("portal_homepage", "redirect")),
            "hosted_confirmation": None,
            "redirect": {"return_url": redirect.needed("return_url")} if after.has("redirect") else None,
        },
        "subscription_cancel": None,
        "subscription_update": None,
        "subscription_update_confirm": None,
    }
