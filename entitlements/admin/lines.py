"""The tables with two-column keys, as the admin can show them: views with a text key, read only.

A row's key is ``<customer id>-<the rest>``; `LinesAdmin` takes it apart again, because the index is
on the two columns and not on the text.
"""

from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from unfold.admin import ModelAdmin

from entitlements.models import Customer

BROWSABLE_ROWS = 200_000
"""Up to about this many rows, all customers' lines are shown together; beyond, sorting them would be slow."""


class Line(models.Model):
    """A row of a view that belongs to a customer."""

    id = models.TextField(primary_key=True)
    customer = models.ForeignKey(Customer, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")

    class Meta:
        abstract = True


class ReadOnlyAdmin(ModelAdmin):
    """Shows, and lets nothing be added, changed or deleted."""

    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LinesAdmin(ReadOnlyAdmin):
    """A customer's lines, newest first. Search finds a customer by key."""

    table: ClassVar[str]
    """The table behind the view: its size decides whether everything can be shown."""
    row_key: ClassVar[str]
    """The column beside customer_id that makes up the key."""

    list_select_related: tuple[str, ...] = ("customer",)
    show_full_result_count = False
    search_fields = ("customer__key",)
    search_help_text = "A customer's key."

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        customer_id, _, rest = object_id.partition("-")
        try:
            return self.get_queryset(request).get(customer_id=int(customer_id), **{self.row_key: rest})
        except (self.model.DoesNotExist, ValueError, ValidationError):
            return None

    def found(self, request: HttpRequest, object_id: str) -> Any:
        """The line. Raises Http404."""
        line = self.get_object(request, object_id)
        if line is None:
            raise Http404
        return line

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> tuple["QuerySet[Any]", bool]:
        if search_term:
            # The id first: with it as a constant, the index gives the rows in order.
            customer = Customer.objects.filter(key=search_term.replace("\0", "")).first()
            return queryset.filter(customer_id=customer.pk if customer else None), False
        if not names_a_customer(request) and _rows_about(self.table) > BROWSABLE_ROWS:
            return queryset.none(), False
        return queryset, False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not names_a_customer(request) and _rows_about(self.table) > BROWSABLE_ROWS:
            messages.info(request, "This list is too long to show whole: search for a customer's key.")
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response


def names_a_customer(request: HttpRequest) -> bool:
    """Whether the list is of one customer: by search, or by a link from their page."""
    return bool(request.GET.get("q")) or any(name.startswith("customer") for name in request.GET)


def _rows_about(table: str) -> int:
    """How many rows the table had at its last ANALYZE."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [table])
        (rows,) = cursor.fetchone()
    return int(rows)
