from billing.models.auto_top_up import AutoTopUp
from billing.models.payment import Payment, Reversal
from billing.models.stripe_customer import StripeCustomer
from billing.models.stripe_event import StripeEvent, StripeSweep
from billing.models.top_up_order import TopUpOrder

__all__ = ["AutoTopUp", "Payment", "Reversal", "StripeCustomer", "StripeEvent", "StripeSweep", "TopUpOrder"]
