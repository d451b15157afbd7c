"""Refusals that several services share."""

from kernel.errors import NotFound


class CustomerUnknown(NotFound):
    code = "customer_unknown"
    title = "There is no such customer"
