"""Figures as people read them: rounded for the eye. The exact ones are shown on pointing, and in the API."""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from moneyed import Money

from kernel.units import MICROCREDITS_PER_CREDIT
from plans.money import decimal_places
from plans.terms import PlanTerms

_SIGNS: Final = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_CENT: Final = Decimal("0.01")


def credits_text(microcredits: int) -> str:
    """ "1,234.5", "−3", "0.0014": at most two places, or two digits where two places would show nothing."""
    amount = Decimal(microcredits) / MICROCREDITS_PER_CREDIT
    smallest = _CENT if abs(amount) >= _CENT or not amount else Decimal(1).scaleb(amount.adjusted() - 1)
    text = f"{amount.quantize(smallest, rounding=ROUND_HALF_EVEN):,f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")


def money_text(money: Any) -> str:
    """ "$9", "€12.50", "KWD 1.250": an amount as it is paid."""
    amount, currency = abs(money.amount), str(money.currency)
    text = f"{amount.normalize():,f}" if amount == amount.to_integral_value() else f"{_padded(amount):,f}"
    return f"{'−' if money.amount < 0 else ''}{_SIGNS.get(currency, f'{currency} ')}{text}"


def overage_money(microcredits: int, plan: PlanTerms) -> str:
    """ "about $29.71": what overage comes to by the plan's price, rounded to cents for the eye."""
    amount = Decimal(plan.overage_price or 0) * microcredits / MICROCREDITS_PER_CREDIT
    places = decimal_places(plan.currency)
    return f"about {money_text(Money(round(amount, places), plan.currency))}"


def _padded(amount: Decimal) -> Decimal:
    """At least two places: half a dollar is 0.50."""
    plain = amount.normalize()
    exponent = plain.as_tuple().exponent
    return plain if isinstance(exponent, int) and exponent <= -2 else plain.quantize(_CENT)


def count_text(number: int) -> str:
    return f"{number:,}"


def amount_text(amount: int, unit: str) -> str:
    """An amount of a limit: credits to two places, calls and tokens whole."""
    return credits_text(amount) if unit == "credits" else count_text(amount)


def named(key: str) -> str:
    """A key as a name: ``hourly-brake`` is "Hourly brake"."""
    return key.replace("-", " ").replace("_", " ").capitalize()


def percent_of(part: int, whole: int) -> int:
    """Whole per cent, 0 to 100, for bars."""
    return max(0, min(100, round(100 * part / whole))) if whole > 0 else 0


def span_text(span: timedelta) -> str:
    """ "about 12 days", "about 5 hours", "less than an hour": how long something lasts."""
    hours = span / timedelta(hours=1)
    if hours < 1:
        return "less than an hour"
    if hours < 36:
        return f"about {_plural(round(hours), 'hour')}"
    days = hours / 24
    if days < 60:
        return f"about {_plural(round(days), 'day')}"
    if days < 365:
        return f"about {_plural(round(days / 30.44), 'month')}"
    return "more than a year"


def _plural(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def day_text(instant: datetime) -> str:
    """ "14 Nov", in the zone the instant is given in."""
    return f"{instant.day} {instant:%b}"
