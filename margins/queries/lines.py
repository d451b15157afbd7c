"""Cost lines as values."""

from datetime import date

from django.db.models import Q, QuerySet

from margins.cost_lines import Basis, LineTerms, SharedBy
from margins.margin import INFERENCE
from margins.models import CostLine
from margins.units import nano_of


def cost_lines(start: date, end: date) -> list[LineTerms]:
    """The lines that hold on some day of [start, end), in order of key and start."""
    return [_terms(row) for row in _holding(start, end)]


def _holding(start: date, end: date) -> "QuerySet[CostLine]":
    return CostLine.objects.filter(Q(ends_on=None) | Q(ends_on__gt=start), starts_on__lt=end)


def _terms(row: CostLine) -> LineTerms:
    return LineTerms(
        id=row.pk,
        key=row.key,
        name=row.name,
        basis=Basis(row.basis),
        amount_nano=nano_of(row.amount.amount) if row.amount is not None else 0,
        currency=row.amount.currency.code if row.amount is not None else "",
        percent_e4=int(row.percent.scaleb(4)) if row.percent is not None else 0,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        customer_id=row.customer_id,
        plan_id=row.plan_id,
        feature_id=row.feature_id,
        seats=row.seats or 1,
        meter=row.meter,
        shared_by=SharedBy(row.shared_by) if row.shared_by else None,
    )


def line_names(start: date, end: date) -> dict[str, str]:
    """What to call each line of COGS on these days, by key. Lines that share a key go by the latest one's name."""
    return {INFERENCE: "Inference"} | dict(_holding(start, end).values_list("key", "name"))
