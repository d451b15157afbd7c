"""Where customers change the card they are charged by: on Stripe's page. No card number ever comes near us."""

from datetime import datetime

from billing.services.customers import converge_customer, stripe_customer_of
from billing.stripe.billing_portal import open_billing_portal
from billing.stripe.errors import Gone, Invalid, PaymentsUnavailable, StripeUnavailable
from entitlements.models import Customer
from kernel.errors import Conflict
from kernel.ids import new_id


class PaymentPageRefused(Conflict):
    code = "payment_page_refused"
    title = "Stripe does not open its page for payment methods"


def payment_method_url(customer: Customer, *, return_url: str, now: datetime) -> str:
    """A link to Stripe's page for the customer's cards. Raises PaymentPageRefused, PaymentsUnavailable."""
    try:
        who = stripe_customer_of(customer, now)
        try:
            return _url(str(who.stripe_id), return_url)
        except Gone:
            # Stripe does not know the customer any more: learn that, and ask again for another one.
            converge_customer(str(who.stripe_id), now)
            return _url(str(stripe_customer_of(customer, now).stripe_id), return_url)
    except (Gone, Invalid) as problem:
        raise PaymentPageRefused(str(problem)) from problem
    except StripeUnavailable as problem:
        raise PaymentsUnavailable(str(problem)) from problem


def _url(stripe_id: str, return_url: str) -> str:
    # Each link is a new one: the key only keeps a retried request from making two.
    return open_billing_portal(stripe_id, return_url=return_url, key=f"portal:{new_id()}")
