"""What the sweep looks at of overage: that everything billed stands, or is about to stand, on an invoice."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from billing.convergence.registry import Finding, sweeps
from billing.models import OverageItem
from billing.overage.accruing import accrue
from billing.overage.invoicing import invoice_all

LONG: Final = timedelta(hours=2)


@sweeps
def sweep_overage(now: datetime, repair: bool) -> Iterator[Finding]:
    """Overage that nobody has taken to an invoice, or that was left half-way to one."""
    unsent = OverageItem.objects.filter(state=OverageItem.State.SENDING, created_at__lte=now - LONG)
    half_way = {item.pk: str(item) for item in unsent.select_related("customer")}
    if repair:
        accrue(now)
        invoice_all(now)
    stuck = set(unsent.values_list("pk", flat=True))
    for pk, item in half_way.items():
        yield Finding(f"overage {item} was left half-way to an invoice", repair and pk not in stuck)
