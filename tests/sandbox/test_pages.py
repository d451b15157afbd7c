"""The pages a newcomer clicks through, driven by their forms."""

import re
import urllib.error
import urllib.parse
import urllib.request
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.process import SandboxProcess
from tests.sandbox.shop import a_checkout, a_customer, a_plan, a_subscription, an_auto_top_up

if TYPE_CHECKING:
    from stripe import StripeClient


class _Stay(urllib.request.HTTPRedirectHandler):
    """Shows where a page leads to, instead of going there."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Visitor:
    """Looks at pages and presses buttons by their words."""

    def __init__(self) -> None:
        self._opener = urllib.request.build_opener(_Stay)
        self.url = self.page = ""

    def visits(self, url: str | None) -> "Visitor":
        assert url
        self.url = url
        self.page = self._open(url)
        return self

    def presses(self, words: str, **fields: str) -> "Visitor":
        """Press a button; follow to where it leads, which may be outside the sandbox and is then not opened."""
        button = re.search(
            rf'<button[^>]* name="([^"]*)" value="([^"]*)">{re.escape(words)}</button>', unescape(self.page)
        )
        assert button, f"no button {words!r} on {self.page}"
        self.page = self._open(self.url, {button[1]: button[2], **fields})
        return self

    def _open(self, url: str, form: dict[str, str] | None = None) -> str:
        data = urllib.parse.urlencode(form).encode() if form else None
        try:
            with self._opener.open(url, data=data, timeout=10) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as problem:
            with problem:
                if problem.code != 303:
                    return str(problem.read().decode())
                self.url = urllib.parse.urljoin(url, problem.headers["Location"])
        return self._open(self.url) if "127.0.0.1" in self.url else ""


@pytest.fixture
def visitor() -> Visitor:
    return Visitor()


def test_paying_with_a_click(sandbox: SandboxProcess, stripe: "StripeClient", visitor: Visitor) -> None:
    session = a_checkout(stripe)
    visitor.visits(session.url)
    assert "SANDBOX" in visitor.page
    assert "No real money moves" in visitor.page
    assert "1,000 credits" in visitor.page

    visitor.presses("Pay 20.00 USD", email="ada@example.com")

    assert visitor.url == f"https://shop.example/thanks?session={session.id}"
    paid = stripe.v1.checkout.sessions.retrieve(session.id)
    assert paid.customer_details is not None
    assert (paid.payment_status, paid.customer_details.email) == ("paid", "ada@example.com")
    assert "complete" in visitor.visits(f"{sandbox.url}/pay/{session.id}").page


def test_declined_and_then_authenticated(sandbox: SandboxProcess, stripe: "StripeClient", visitor: Visitor) -> None:
    session = a_checkout(stripe)

    visitor.visits(session.url).presses("Pay with a card that is declined")
    assert "Your card was declined." in visitor.page
    visitor.presses("Pay with a card that asks for authentication")
    assert "Is it you who wants a payment of 20.00 USD?" in visitor.page
    visitor.presses("No, refuse it")
    assert visitor.url == session.url
    visitor.presses("Pay with a card that asks for authentication").presses("Yes, it is me")

    assert visitor.url.startswith("https://shop.example/thanks")
    assert sandbox.totals()["usd"]["charges"] == 1


def test_a_saved_card_is_offered(sandbox: SandboxProcess, stripe: "StripeClient", visitor: Visitor) -> None:
    customer = a_customer(stripe, "pm_card_mastercard")
    session = a_checkout(stripe, customer=customer.id)

    visitor.visits(session.url).presses("Pay 20.00 USD with mastercard •••• 4444")

    assert sandbox.objects("charge")[0]["payment_method_details"]["card"]["last4"] == "4444"


def test_a_subscription_whose_card_is_refused(
    sandbox: SandboxProcess, stripe: "StripeClient", visitor: Visitor
) -> None:
    session = stripe.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "line_items": [{"price": a_plan(stripe).id, "quantity": 1}],
            "success_url": "https://shop.example/welcome",
        }
    )
    visitor.visits(session.url).presses("Pay with a card that is declined")
    assert "Your card was declined." in visitor.page
    visitor.presses("Pay 30.00 USD")

    assert visitor.url == "https://shop.example/welcome"
    assert [one["status"] for one in sandbox.objects("subscription")] == ["active"]


def test_an_off_session_payment_is_authenticated_by_its_link(
    sandbox: SandboxProcess, stripe: "StripeClient", visitor: Visitor
) -> None:
    import stripe as sdk

    customer = a_customer(stripe, "pm_card_authenticationRequired")
    with pytest.raises(sdk.CardError) as refusal:
        an_auto_top_up(stripe, customer)
    intent = stripe.v1.payment_intents.confirm(
        refusal.value.error.payment_intent.id,
        {
            "payment_method": str(customer.invoice_settings.default_payment_method),
            "return_url": "https://shop.example/back",
        },
    )

    visitor.visits(intent.next_action.redirect_to_url.url).presses("Yes, it is me")

    assert visitor.url.startswith(f"https://shop.example/back?payment_intent={intent.id}&")
    assert visitor.url.endswith("redirect_status=succeeded")


def test_an_invoice_is_paid_on_its_page(sandbox: SandboxProcess, stripe: "StripeClient", visitor: Visitor) -> None:
    subscription = a_subscription(stripe, a_plan(stripe), "pm_card_chargeCustomerFail")
    invoice = stripe.v1.invoices.retrieve(str(subscription.latest_invoice))

    visitor.visits(invoice.hosted_invoice_url).presses("Pay with a card that has too little on it")
    assert "insufficient funds" in visitor.page
    visitor.presses("Pay 30.00 USD")

    assert "Status: paid" in visitor.page
    assert stripe.v1.subscriptions.retrieve(subscription.id).status == "active"
    guessed = f"{sandbox.url}/invoice/{invoice.id}/guessed"
    assert "There is no such invoice" in visitor.visits(guessed).page


def test_the_portal_changes_the_card_and_ends_the_subscription(
    sandbox: SandboxProcess, stripe: "StripeClient", visitor: Visitor
) -> None:
    subscription = a_subscription(stripe, a_plan(stripe))
    customer = str(subscription.customer)
    portal = stripe.v1.billing_portal.sessions.create({"customer": customer, "return_url": "https://shop.example/"})
    before = stripe.v1.customers.retrieve(customer).invoice_settings.default_payment_method

    visitor.visits(portal.url).presses("Add a card").presses("Cancel")

    after = stripe.v1.customers.retrieve(customer).invoice_settings.default_payment_method
    assert before != after
    assert stripe.v1.subscriptions.retrieve(subscription.id).cancel_at_period_end is True
    visitor.presses("Do not cancel")
    assert stripe.v1.subscriptions.retrieve(subscription.id).cancel_at_period_end is False


def test_the_front_page_tells_the_time_and_moves_it(
    sandbox: SandboxProcess, stripe: "StripeClient", visitor: Visitor
) -> None:
    sandbox.pay(a_checkout(stripe).id)
    visitor.visits(f"{sandbox.url}/")
    assert "15 Nov 2026, 12:00" in visitor.page
    assert "20.00 USD" in visitor.page

    visitor.presses("A day later")

    assert "16 Nov 2026, 12:00" in visitor.page


def test_words_from_outside_are_never_markup(sandbox: SandboxProcess, stripe: "StripeClient", visitor: Visitor) -> None:
    item = {"currency": "usd", "unit_amount": 500, "product_data": {"name": "<script>alert(1)</script>"}}
    session = a_checkout(stripe, line_items=[{"price_data": item, "quantity": 1}])

    visitor.visits(session.url)

    assert "&lt;script&gt;" in visitor.page
    assert "<script>" not in visitor.page
