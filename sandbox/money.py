"""Amounts in minor units, with Stripe's rules for them; and what Stripe keeps of each payment."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from sandbox.errors import InvalidRequest

ZERO_DECIMAL = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"]
)
THREE_DECIMAL = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
WRITTEN_WITH_TWO = frozenset({"isk", "ugx"})
"""Zero-decimal by nature, but Stripe still takes them as hundredths, which must be zero.
https://docs.stripe.com/currencies#special-cases (read 2026-11)."""

LARGEST = 99_999_999
_SMALLEST = {"aud": 50, "brl": 50, "cad": 50, "chf": 50, "eur": 50, "gbp": 30, "inr": 50, "jpy": 50, "usd": 50}
_SMALLEST |= {"dkk": 250, "nok": 300, "sek": 300, "pln": 200, "mxn": 1000, "hkd": 400, "nzd": 50, "sgd": 50}


def checked_currency(code: str) -> str:
    """Lower case, as Stripe answers it. Raises InvalidRequest unless it is three letters."""
    if len(code) != 3 or not code.isalpha() or not code.isascii():
        raise InvalidRequest(f"Invalid currency: {code}", param="currency")
    return code.lower()


def smallest_charge(currency: str) -> int:
    """The least a card is charged, in minor units. What is less is carried to the customer's next invoice."""
    return _SMALLEST.get(currency, 1)


def check_charge(amount: int, currency: str) -> None:
    """Raises InvalidRequest for an amount Stripe would not charge."""
    if amount < 1:
        raise InvalidRequest("This value must be greater than or equal to 1.", param="amount")
    if amount > LARGEST:
        raise InvalidRequest("Amount must be no more than 999,999.99.", code="amount_too_large", param="amount")
    if amount < smallest_charge(currency):
        raise InvalidRequest(
            f"Amount must be at least {display(smallest_charge(currency), currency)}.",
            code="amount_too_small",
            param="amount",
        )
    check_granularity(amount, currency)


def check_granularity(amount: int, currency: str) -> None:
    """Three-decimal currencies move in tens, and two special ones in hundreds."""
    step = 10 if currency in THREE_DECIMAL else 100 if currency in WRITTEN_WITH_TWO else 1
    if amount % step:
        raise InvalidRequest(f"Invalid amount: in {currency} it must be divisible by {step}.", param="amount")


def decimals(currency: str) -> int:
    return 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2


def display(amount: int, currency: str) -> str:
    """For people: ``20.00 USD``."""
    places = decimals(currency)
    return f"{Decimal(amount).scaleb(-places):,.{places}f} {currency.upper()}"


def rounded(amount: Decimal | Fraction) -> int:
    """To the minor unit, halves away from zero."""
    exact = Decimal(amount.numerator) / Decimal(amount.denominator) if isinstance(amount, Fraction) else amount
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


@dataclass(frozen=True)
class Fees:
    """The sandbox's price list: a card's percentage plus a fixed part, and a flat sum for each dispute."""

    percent: Decimal = Decimal("2.9")

    def of_charge(self, amount: int, currency: str) -> int:
        fixed = {"usd": 30, "eur": 25, "gbp": 20, "jpy": 30, "kwd": 100}.get(currency, 30)
        return min(amount, rounded(amount * self.percent / 100) + fixed)

    def of_dispute(self, currency: str) -> int:
        return 15 * int(10 ** decimals(currency))
