"""What the views of one customer share."""

from datetime import datetime
from typing import Any

from rest_framework.request import Request

from access.views import ApiView
from entitlements.models import Balance, Customer
from entitlements.queries.customers import OPEN_SUBSCRIPTION
from entitlements.services.accounts import opened_one
from entitlements.services.customers import is_customer_key
from entitlements.services.problems import CustomerUnknown
from kernel.clock import utc_now


class CustomerView(ApiView):
    """A view under /v1/customers/{key}. `now` is the request's one instant."""

    tags = ["customers"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.now: datetime = utc_now()

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
        """The customer, after everything due by now has been written: expiries and renewals show in lists too."""
        customer = self.customer()
        if Balance.objects.filter(customer_id=customer.pk, valid_until__lte=self.now).exists():
            with opened_one(self.key, now=self.now):
                pass
        return customer
