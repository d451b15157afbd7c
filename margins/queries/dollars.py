"""What suppliers' dollars come to in another currency, by the exchange rates that are known."""

from datetime import date, timedelta
from fractions import Fraction

from margins.currencies import ONE
from margins.margin import SUPPLIER_CURRENCY
from margins.queries.currencies import rates


def per_dollar(currency: str, day: date) -> Fraction | None:
    """What a US dollar costs in the currency on a day: exactly 1 for dollars, None where nobody recorded a rate."""
    if currency == SUPPLIER_CURRENCY:
        return Fraction(1)
    following = day + timedelta(days=1)
    worth = rates(SUPPLIER_CURRENCY, {currency}, day, following).of(currency, day)
    if worth is not None:
        return Fraction(ONE, worth)
    price = rates(currency, {SUPPLIER_CURRENCY}, day, following).of(SUPPLIER_CURRENCY, day)
    return None if price is None else Fraction(price, ONE)
