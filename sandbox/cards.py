"""Stripe's test payment methods, and how each behaves (https://docs.stripe.com/testing, read 2026-11)."""

from dataclasses import dataclass
from typing import Literal

from sandbox.errors import InvalidRequest


@dataclass(frozen=True)
class Decline:
    """Why a bank says no, in Stripe's words."""

    code: str
    decline_code: str | None
    message: str


_DECLINED = "Your card was declined."
GENERIC = Decline("card_declined", "generic_decline", _DECLINED)
INSUFFICIENT = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
LOST = Decline("card_declined", "lost_card", _DECLINED)
STOLEN = Decline("card_declined", "stolen_card", _DECLINED)
FRAUDULENT = Decline("card_declined", "fraudulent", _DECLINED)
EXPIRED = Decline("expired_card", None, "Your card has expired.")
WRONG_CVC = Decline("incorrect_cvc", None, "Your card's security code is incorrect.")
PROCESSING = Decline(
    "processing_error", None, "An error occurred while processing your card. Try again in a little bit."
)
AUTHENTICATION = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
FAILED_AUTHENTICATION = Decline(
    "payment_intent_authentication_failure",
    None,
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new "
    "PaymentMethod to attempt to fulfill this PaymentIntent again.",
)
FAILED_SETUP_AUTHENTICATION = Decline(
    "setup_intent_authentication_failure", None, "The latest attempt to set up the payment method has failed."
)
NO_ACCOUNT = Decline("account_closed", None, "The customer's bank account has been closed.")


@dataclass(frozen=True)
class Behaviour:
    """One test payment method. Authentication is asked `never`, `unless_set_up` for later use, or `always`."""

    last4: str = "4242"
    brand: str = "visa"
    decline: Decline | None = None
    refuses_to_be_saved: bool = False
    authentication: Literal["never", "unless_set_up", "always"] = "never"
    dispute: str | None = None
    kind: Literal["card", "us_bank_account"] = "card"
    settles_later: bool = False


def _refused(last4: str, decline: Decline) -> Behaviour:
    return Behaviour(last4, decline=decline, refuses_to_be_saved=True)


_METHODS = {
    "pm_card_visa": Behaviour(),
    "pm_card_visa_debit": Behaviour("5556"),
    "pm_card_mastercard": Behaviour("4444", "mastercard"),
    "pm_card_amex": Behaviour("8431", "amex"),
    "pm_card_visa_chargeDeclined": _refused("0002", GENERIC),
    "pm_card_visa_chargeDeclinedInsufficientFunds": _refused("9995", INSUFFICIENT),
    "pm_card_visa_chargeDeclinedLostCard": _refused("9987", LOST),
    "pm_card_visa_chargeDeclinedStolenCard": _refused("9979", STOLEN),
    "pm_card_chargeDeclinedExpiredCard": _refused("0069", EXPIRED),
    "pm_card_chargeDeclinedIncorrectCvc": _refused("0127", WRONG_CVC),
    "pm_card_chargeDeclinedProcessingError": _refused("0119", PROCESSING),
    "pm_card_chargeDeclinedFraudulent": _refused("0019", FRAUDULENT),
    "pm_card_chargeCustomerFail": Behaviour("0341", decline=GENERIC),
    "pm_card_authenticationRequiredOnSetup": Behaviour("3155", authentication="unless_set_up"),
    "pm_card_authenticationRequired": Behaviour("3184", authentication="always"),
    "pm_card_authenticationRequiredSetupForOffSession": Behaviour("0446", authentication="unless_set_up"),
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": Behaviour(
        "3178", decline=INSUFFICIENT, authentication="always"
    ),
    "pm_card_createDispute": Behaviour("0259", dispute="fraudulent"),
    "pm_card_createDisputeProductNotReceived": Behaviour("2685", dispute="product_not_received"),
    "pm_usBankAccount_success": Behaviour("6789", "", kind="us_bank_account", settles_later=True),
    "pm_usBankAccount_accountClosed": Behaviour(
        "0005", "", decline=NO_ACCOUNT, kind="us_bank_account", settles_later=True
    ),
}
_ALSO_CALLED = {
    "pm_card_threeDSecure2Required": "pm_card_authenticationRequired",
    "pm_card_chargeDeclined": "pm_card_visa_chargeDeclined",
    "pm_card_chargeDeclinedInsufficientFunds": "pm_card_visa_chargeDeclinedInsufficientFunds",
    "tok_visa": "pm_card_visa",
    "tok_mastercard": "pm_card_mastercard",
    "tok_chargeDeclined": "pm_card_visa_chargeDeclined",
    "tok_chargeCustomerFail": "pm_card_chargeCustomerFail",
}


def is_test_token(name: str) -> bool:
    """Whether this names a test payment method rather than one that was created."""
    return name in _METHODS or name in _ALSO_CALLED


def canonical(name: str) -> str:
    """The one name of a test payment method. Raises InvalidRequest for a name there is not."""
    name = _ALSO_CALLED.get(name, name)
    if name not in _METHODS:
        raise InvalidRequest(f"No such PaymentMethod: '{name}'", code="resource_missing", param="payment_method")
    return name


def behaviour(name: str) -> Behaviour:
    return _METHODS[canonical(name)]


def names() -> list[str]:
    return list(_METHODS)
