"""What every insight shares: the days asked about, and the instant it is exact as of."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.response import Response

from access.fields import InstantField
from access.views import ApiView
from kernel.clock import utc_now
from margins.api.query import PeriodQuery
from margins.period import Period, period_of
from margins.queries.margins import Dimension, MarginRow, Scope, margin_rows
from margins.services.due import write_due_breakage


class InsightAnswer(serializers.Serializer[Any]):
    """About the days [from, to) in UTC."""

    as_of = InstantField(help_text="The current day counts until then.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python's, so these two cannot be declared like the rest."""
        days: dict[str, serializers.Field[Any, Any, Any, Any]] = {
            "from": serializers.DateField(source="start"),
            "to": serializers.DateField(source="end"),
        }
        return days | super().get_fields()


class InsightView(ApiView):
    """`asked` says which days and when it is; `answered` puts them before the answer's members."""

    required_scopes = {"GET": "read"}
    query_serializer = PeriodQuery
    tags: ClassVar[Sequence[str]] = ["insights"]

    def asked(self) -> tuple[Period, datetime]:
        """The days asked about, and now. Raises InvalidInput."""
        now = utc_now()
        return period_of(self.query.get("start"), self.query.get("end"), now), now

    def margins(self, period: Period, dimension: Dimension, now: datetime) -> list[MarginRow]:
        """The margins of the days, what is due written first."""
        write_due_breakage(now)
        return margin_rows(Scope(*period), [dimension], now=now)


def answered(serializer: type[serializers.Serializer[Any]], period: Period, now: datetime, **members: Any) -> Response:
    """The answer about these days, exact as of now."""
    return Response(serializer({"start": period.start, "end": period.end, "as_of": now, **members}).data)


class RatioField(serializers.CharField):
    """A share as a decimal string to six places."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"allow_null": True} | kwargs))
