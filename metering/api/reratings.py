"""GET /v1/reratings and GET /v1/reratings/{id}: what was corrected, why and by whom."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import InstantField, UsdField
from access.views import ApiView, ListView
from metering.customers import keys_of
from metering.models import Rerating
from metering.queries.reratings import MovedLine, moved_by
from metering.rerating.applying import ReratingUnknown


class ReratingSerializer(serializers.Serializer[Rerating]):
    """One correction of what past usage cost us."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=Rerating.State.values)
    reason = serializers.CharField()
    author = serializers.CharField()
    customer = serializers.SerializerMethodField(help_text="Null: every customer.")
    model = serializers.CharField(help_text="Empty: every model.")
    unpriced_only = serializers.BooleanField()
    list_prices = serializers.CharField()
    created_at = InstantField()
    applied_at = InstantField(allow_null=True)
    undone_at = InstantField(allow_null=True)
    undo_reason = serializers.CharField()
    undone_by = serializers.CharField()
    examined_calls = serializers.IntegerField()
    moved_calls = serializers.IntegerField()
    priced_calls = serializers.IntegerField(help_text="Those of them that had no cost before.")
    delta_usd = UsdField(source="delta_nanousd", help_text="What it added to the cost; an undo takes it back.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python's, so these two cannot be declared like the rest."""
        days = {"from": serializers.DateField(source="starts_on"), "to": serializers.DateField(source="ends_on")}
        return {**super().get_fields(), **days}

    def get_customer(self, rerating: Rerating) -> str | None:
        """The only customer it was about."""
        return None if rerating.customer_id is None else keys_of([rerating.customer_id]).get(rerating.customer_id)


class MovedSerializer(serializers.Serializer[MovedLine]):
    """What was moved of one customer, model or day."""

    name = serializers.CharField()
    calls = serializers.IntegerField()
    priced_calls = serializers.IntegerField()
    delta_usd = UsdField(source="delta_nanousd")


class ReratingDetail(ReratingSerializer):
    """A correction with what it moved, most first, up to 200 lines of each kind."""

    customers = serializers.SerializerMethodField()
    models = serializers.SerializerMethodField()
    days = serializers.SerializerMethodField(help_text="The days whose margin it restated.")

    @extend_schema_field(MovedSerializer(many=True))
    def get_customers(self, rerating: Rerating) -> Any:
        return _moved(rerating, "customer")

    @extend_schema_field(MovedSerializer(many=True))
    def get_models(self, rerating: Rerating) -> Any:
        return _moved(rerating, "model")

    @extend_schema_field(MovedSerializer(many=True))
    def get_days(self, rerating: Rerating) -> Any:
        return _moved(rerating, "day")


def _moved(rerating: Rerating, cut: str) -> Any:
    lines: Any = moved_by(rerating.pk, cut)
    return MovedSerializer(lines, many=True).data


class ReratingsView(ListView):
    """Corrections of what past usage cost us, newest first, with their reasons and authors.

    They are made and undone by `manage.py rerate`. Events keep the cost they were stamped with; usage sums and margins
    contain the corrections, on the days of the usage.
    """

    tags = ["margins"]
    serializer_class = ReratingSerializer
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[Rerating]:
        return Rerating.objects.all()


class ReratingView(ApiView):
    required_scopes = {"GET": "read"}
    tags = ["margins"]

    @extend_schema(responses=ReratingDetail)
    def get(self, request: Request, id: int) -> Response:  # noqa: A002 - the name in the path
        """One correction, with what it moved by customer, model and day."""
        found = Rerating.objects.filter(pk=id).first() if id < 2**63 else None
        if found is None:
            raise ReratingUnknown(f"there is no re-rating {id}")
        return Response(ReratingDetail(found).data)
