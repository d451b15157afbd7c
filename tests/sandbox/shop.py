"""What stories begin with: a customer, a card on file, a plan, a pack."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stripe import Customer, Price, StripeClient, Subscription
    from stripe.checkout import Session


def a_customer(stripe: "StripeClient", card: str | None = None, **more: Any) -> "Customer":
    """A customer; with a card, it is on file and used for invoices."""
    customer = stripe.v1.customers.create({"email": "ada@example.com", "name": "Ada", **more})
    if card is None:
        return customer
    method = stripe.v1.payment_methods.attach(card, {"customer": customer.id})
    return stripe.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})


def a_plan(stripe: "StripeClient", amount: int = 3000, currency: str = "usd", interval: str = "month") -> "Price":
    """A recurring price of a product of its own."""
    return stripe.v1.prices.create(
        {
            "currency": currency,
            "unit_amount": amount,
            "recurring": {"interval": interval},
            "product_data": {"name": f"Plan {amount}"},
        }
    )


def a_subscription(stripe: "StripeClient", price: "Price", card: str = "pm_card_visa", **more: Any) -> "Subscription":
    """A customer with a card, subscribed."""
    customer = a_customer(stripe, card)
    return stripe.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}], **more})


def a_checkout(stripe: "StripeClient", amount: int = 2000, currency: str = "usd", **more: Any) -> "Session":
    """A pack of credits, ready to be paid; the card is kept."""
    return stripe.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "https://shop.example/thanks?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://shop.example/packs",
            "line_items": [
                {
                    "price_data": {
                        "currency": currency,
                        "unit_amount": amount,
                        "product_data": {"name": "1,000 credits"},
                    },
                    "quantity": 1,
                }
            ],
            "payment_intent_data": {"setup_future_usage": "off_session", "metadata": {"order": "order_1"}},
            "invoice_creation": {"enabled": True},
            "metadata": {"order": "order_1"},
            **more,
        }
    )


def an_auto_top_up(
    stripe: "StripeClient", customer: "Customer", amount: int = 2000, key: str = "attempt_1", **more: Any
) -> Any:
    """Charge the card on file while the customer is away."""
    settings = customer.invoice_settings
    assert settings is not None
    return stripe.v1.payment_intents.create(
        {
            "amount": amount,
            "currency": "usd",
            "customer": customer.id,
            "payment_method": str(settings.default_payment_method),
            "confirm": True,
            "off_session": True,
            "metadata": {"attempt": key},
            **more,
        },
        {"idempotency_key": f"auto-top-up:{key}"},
    )
