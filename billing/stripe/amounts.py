"""Money and Stripe's minor units. The only place where an amount of money is rounded.

https://docs.stripe.com/currencies (read 2026-11): most currencies count in hundredths; some have no minor unit; some
have three decimals, of which the last must be zero; ISK and UGX have none but are still written in hundredths.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Final

from moneyed import Money

ZERO_DECIMAL: Final = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
THREE_DECIMAL: Final = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
WHOLE_IN_HUNDREDTHS: Final = frozenset(["ISK", "UGX"])


class NotChargeable(ValueError):
    """An amount that Stripe cannot move exactly."""


def places(currency: str) -> int:
    """How many decimals Stripe's integer has."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def step(currency: str) -> int:
    """The smallest change of an amount that can be charged, in minor units."""
    if currency in THREE_DECIMAL:
        return 10
    return 100 if currency in WHOLE_IN_HUNDREDTHS else 1


def to_minor(money: Money) -> int:
    """An amount in minor units, exactly. Raises NotChargeable where it would have to be rounded."""
    code = str(money.currency)
    scaled = Decimal(money.amount).scaleb(places(code))
    if scaled != scaled.to_integral_value() or int(scaled) % step(code):
        raise NotChargeable(f"{money.amount.normalize():f} {code} cannot be charged exactly")
    return int(scaled)


def from_minor(amount: int, currency: str) -> Money:
    """What Stripe's integer stands for. `currency` in either case."""
    code = currency.upper()
    return Money(Decimal(amount).scaleb(-places(code)), code)


def rounded_up(amount: Decimal, currency: str) -> Money:
    """The least chargeable amount that is not below `amount`: a computed price is never sold short."""
    return _rounded(amount, currency, ROUND_CEILING)


def rounded_down(amount: Decimal, currency: str) -> Money:
    """The largest chargeable amount that is not above `amount`: the rest is for a later invoice."""
    return _rounded(amount, currency, ROUND_FLOOR)


def rounded(amount: Decimal, currency: str) -> Money:
    """The nearest chargeable amount, halves away from zero."""
    return _rounded(amount, currency, ROUND_HALF_UP)


def share(money: Money, part: int, whole: int) -> Money:
    """`part` of `whole` of an amount, to the minor unit, halves away from zero. All of it for the whole."""
    code = str(money.currency)
    exact = Decimal(money.amount).scaleb(places(code)) * part / whole
    return from_minor(int(exact.quantize(Decimal(1), ROUND_HALF_UP)), code)


def _rounded(amount: Decimal, currency: str, manner: str) -> Money:
    steps = (amount.scaleb(places(currency)) / step(currency)).quantize(Decimal(1), manner)
    return from_minor(int(steps) * step(currency), currency)
