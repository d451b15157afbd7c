from billing.models.auto_top_up import AutoTopUp
from billing.models.overage_item import OverageItem
from billing.models.payment import Payment, Reversal
from billing.models.stripe_customer import StripeCustomer
from billing.models.stripe_event import StripeEvent, StripeSweep
from billing.models.stripe_invoice import StripeInvoice
from billing.models.stripe_price import StripePrice
from billing.models.stripe_subscription import StripeSubscription, SubscriptionOrder
from billing.models.top_up_order import TopUpOrder
from billing.models.webhook import WebhookAttempt, WebhookDelivery, WebhookEndpoint

__all__ = [
    "AutoTopUp",
    "OverageItem",
    "Payment",
    "Reversal",
    "StripeCustomer",
    "StripeEvent",
    "StripeInvoice",
    "StripePrice",
    "StripeSubscription",
    "StripeSweep",
    "SubscriptionOrder",
    "TopUpOrder",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
]
