"""Serializer fields in our units: credits, money and instants as JSON writes them, and strict text."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from moneyed import Money, get_currency
from rest_framework import serializers

from kernel.clock import EARLIEST, BadInstant, format_instant, parse_instant
from kernel.units import InexactAmount, format_credits, format_usd, parse_credits

LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""Beyond this, a date is a unit mistake, not a plan."""

MAX_MONEY: Final = Decimal(10) ** 11
"""What numeric(14, 3) holds."""

_DECIMAL: Final = {"type": "string", "format": "decimal", "pattern": r"^-?\d+(\.\d+)?$"}


class TextField(serializers.CharField):
    """Text that must be a JSON string: a number is a mistake, not a name."""

    default_error_messages = {"not_text": "must be a string"}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("not_text")
        return str(super().to_internal_value(data))


@extend_schema_field(_DECIMAL | {"example": "12.5", "description": "Credits, to six decimal places."})
class CreditsField(serializers.Field[int, str | int, str, Any]):
    """Microcredits inside, a decimal string of credits in JSON."""

    def to_internal_value(self, data: Any) -> int:
        try:
            return parse_credits(data)
        except InexactAmount as error:
            raise serializers.ValidationError(str(error)) from None

    def to_representation(self, value: int) -> str:
        return format_credits(value)


@extend_schema_field(_DECIMAL | {"example": "0.00136", "description": "US dollars, to nine decimal places."})
class UsdField(serializers.Field[int, str, str, Any]):
    """Nano-USD inside, a decimal string of dollars in JSON. For answers only."""

    def to_representation(self, value: int) -> str:
        return format_usd(value)


@extend_schema_field({"type": "string", "format": "date-time", "example": "2026-11-15T12:00:00Z"})
class InstantField(serializers.Field[datetime, str, str, Any]):
    """An RFC 3339 time with a zone, between the years 2000 and 2200."""

    def to_internal_value(self, data: Any) -> datetime:
        try:
            instant = parse_instant(data)
        except BadInstant as error:
            raise serializers.ValidationError(str(error)) from None
        if not EARLIEST <= instant < LATEST:
            raise serializers.ValidationError(f"{data!r} is not between the years 2000 and 2200")
        return instant

    def to_representation(self, value: datetime) -> str:
        return format_instant(value)


@extend_schema_field(
    {
        "type": "object",
        "required": ["amount", "currency"],
        "properties": {
            "amount": _DECIMAL | {"example": "99.00"},
            "currency": {"type": "string", "example": "USD"},
        },
    }
)
class MoneyField(serializers.Field[Any, Mapping[str, Any], dict[str, str], Any]):
    """An amount of a known currency, not negative, with no more decimals than the currency has."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict) or set(data) != {"amount", "currency"}:
            raise serializers.ValidationError('must be {"amount": "99.00", "currency": "USD"}')
        currency = data["currency"]
        if currency not in settings.CURRENCIES:
            known = ", ".join(settings.CURRENCIES)
            raise serializers.ValidationError({"currency": [f"must be one of {known}"]})
        try:
            return Money(_read_amount(data["amount"], _places(currency)), currency)
        except InexactAmount as error:
            raise serializers.ValidationError({"amount": [str(error)]}) from None

    def to_representation(self, value: Any) -> dict[str, str]:
        code = str(value.currency)
        return {"amount": f"{value.amount:.{_places(code)}f}", "currency": code}


def _places(currency: str) -> int:
    return len(str(get_currency(currency).sub_unit)) - 1


def _read_amount(text: Any, places: int) -> Decimal:
    if not isinstance(text, str) or len(text) > 40 or "_" in text:
        raise InexactAmount('must be a decimal string such as "99.00"')
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise InexactAmount('must be a decimal string such as "99.00"') from None
    if not amount.is_finite() or not 0 <= amount < MAX_MONEY:
        raise InexactAmount(f"must be between 0 and {MAX_MONEY - 1}")
    if amount != round(amount, places):
        raise InexactAmount(f"has more than {places} decimal places")
    return amount
