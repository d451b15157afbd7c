"""The client of a Weir service: ask before an AI call, report after it, spend leases in process."""

from weir_sdk.client import Weir
from weir_sdk.errors import Denied, Refused, Unreachable, WeirError
from weir_sdk.holds import Hold
from weir_sdk.leases import Lease
from weir_sdk.outage import Closed, Open

__all__ = ["Closed", "Denied", "Hold", "Lease", "Open", "Refused", "Unreachable", "Weir", "WeirError"]
