"""What the views of one customer share, and of what belongs to one."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from rest_framework.request import Request

from access.views import ApiView
from entitlements.models import Balance, Customer
from entitlements.queries.customers import OPEN_SUBSCRIPTION
from entitlements.services.accounts import opened_one
from entitlements.services.customers import is_customer_key
from entitlements.services.problems import CustomerUnknown
from kernel.clock import utc_now
from kernel.errors import NotFound
from kernel.ids import parse_public_id


class TimedView(ApiView):
    """A view that reads the clock once: `now` is the request's one instant."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.now: datetime = utc_now()

    def bring_up_to_date(self, customer: Customer) -> None:
        """Write everything due by now: expiries and renewals show in lists too, though nobody called."""
        if Balance.objects.filter(customer_id=customer.pk, valid_until__lte=self.now).exists():
            with opened_one(customer.key, now=self.now):
                pass


class CustomerView(TimedView):
    """A view under /v1/customers/{key}."""

    tags = ["customers"]

    @property
    def key(self) -> str:
        """The customer's key in the path. Raises CustomerUnknown for a text that nobody's key can be."""
        key: str = self.kwargs["key"]
        if not is_customer_key(key):
            raise CustomerUnknown(f"no customer has the key {key!r}")
        return key

    def customer(self) -> Customer:
        """The customer of the path. Raises CustomerUnknown."""
        found = Customer.objects.filter(key=self.key).prefetch_related(OPEN_SUBSCRIPTION).first()
        if found is None:
            raise CustomerUnknown(f"no customer has the key {self.key!r}")
        return found

    def up_to_date(self) -> Customer:
        """The customer, after everything due by now has been written. Raises CustomerUnknown."""
        customer = self.customer()
        self.bring_up_to_date(customer)
        return customer


class NamedView(TimedView):
    """A view of one thing of a customer's, named by its public id: hold_…, run_…, decision_…"""

    kind: ClassVar[str]
    unknown: ClassVar[type[NotFound]]
    """What is raised when there is no such thing."""

    def named(self) -> tuple[Customer, UUID]:
        """The customer and the id in the path, after everything due by now has been written."""
        named = parse_public_id(self.kind, self.kwargs["id"])
        customer = Customer.objects.filter(pk=named[0]).first() if named else None
        if named is None or customer is None:
            raise self.missing()
        self.bring_up_to_date(customer)
        return customer, named[1]

    def missing(self) -> NotFound:
        """The refusal of an id that names nothing."""
        return self.unknown(f"there is no {self.kind} {self.kwargs['id']!r}")
