"""What the prices of plans and packs have to do with currencies. Stripe's minor units are billing's matter."""

from typing import Any

from moneyed import get_currency


def decimal_places(currency: str) -> int:
    """How many decimal places an amount of the currency has: two for USD, none for JPY, three for KWD."""
    known: Any = get_currency(currency)
    return len(str(known.sub_unit)) - 1


def exact_money(money: Any) -> str:
    """``0.012 USD``: an amount with all its places, where django-money's text rounds to the currency's."""
    return f"{money.amount.normalize():f} {money.currency}"
