"""The query parameters of margin reports."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final

import msgspec
from rest_framework import serializers

from access.fields import TextField
from access.views import StrictSerializer
from entitlements.models import Customer
from kernel.errors import InvalidInput
from margins.period import Period
from margins.queries.margins import Dimension, MarginRow, order_of

MAX_DAYS_OF_EVERYONE: Final = 31
"""Every customer by day is a row each: a month of them is what one answer may be asked to sort through."""


class DayField(serializers.DateField):
    """A calendar day, YYYY-MM-DD."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%d"], **kwargs)


class PeriodQuery(StrictSerializer):
    """Days [from, to) in UTC; by default the last 30, today included."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python's, so these two cannot be declared like the rest."""
        start = DayField(source="start", required=False, help_text="The first UTC day. Default: 30 days before `to`.")
        end = DayField(source="end", required=False, help_text="The UTC day before which to stop. Default: tomorrow.")
        return {"from": start, "to": end, **super().get_fields()}


class MarginsQuery(PeriodQuery):
    by = TextField(
        required=False,
        help_text="What to cut by, with commas: customer, user, feature, model, plan, cohort, day. Default: nothing.",
    )
    customer = TextField(required=False, help_text="One customer's key.")
    limit = TextField(required=False, help_text="How many rows to show, 1 to 200. Default: 50.")
    cursor = TextField(required=False, help_text="From `next`; opaque.")


def read_by(text: str | None) -> list[Dimension]:
    """The dimensions asked for, in the order given. Raises InvalidInput."""
    words = text.split(",") if text else []
    known = set(Dimension)
    for word in words:
        if word not in known:
            raise InvalidInput(f"{word!r} is none of {', '.join(Dimension)}", field="by")
    if len(set(words)) < len(words):
        raise InvalidInput("names something twice", field="by")
    return [Dimension(word) for word in words]


def customer_id_of(key: str) -> int:
    """Whose key it is. Raises InvalidInput."""
    found = Customer.objects.filter(key=key).values_list("id", flat=True).first()
    if found is None:
        raise InvalidInput(f"no customer has the key {key!r}", field="customer")
    return found


def check_size(by: list[Dimension], period: Period) -> None:
    """Refuse reports with a row for every customer and day, or user, of a long stretch. Raises InvalidInput."""
    many = ({Dimension.CUSTOMER, Dimension.DAY} <= set(by)) or Dimension.USER in by
    if many and period.days > MAX_DAYS_OF_EVERYONE:
        detail = (
            f"of every customer by day, or of every user, must be at most {MAX_DAYS_OF_EVERYONE} days after from; "
            "or name a customer"
        )
        raise InvalidInput(detail, field="to")


def page_of(rows: list[MarginRow], *, limit: int, cursor: str | None) -> tuple[list[MarginRow], str | None]:
    """The rows after the cursor, and the cursor of the next page. Raises InvalidInput."""
    if cursor:
        after = _decode(cursor, len(rows[0].key) if rows else None)
        rows = [row for row in rows if _place(row) > after]
    page = rows[:limit]
    return page, _encode(page[-1]) if len(rows) > limit else None


_Place = tuple[tuple[tuple[bool, str], ...], str]


def _place(row: MarginRow) -> _Place:
    return order_of(row.key), row.margin.currency


def _encode(row: MarginRow) -> str:
    values = [None if value is None else str(value) for value in row.key]
    return urlsafe_b64encode(msgspec.json.encode([*values, row.margin.currency])).rstrip(b"=").decode()


def _decode(cursor: str, size: int | None) -> _Place:
    try:
        values = msgspec.json.decode(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=list[str | None])
    except (ValueError, msgspec.MsgspecError, binascii.Error):
        values = []
    if not values or values[-1] is None or (size is not None and len(values) != size + 1):
        raise InvalidInput("This is not a cursor this list gave out", field="cursor")
    return order_of(tuple(values[:-1])), values[-1]
