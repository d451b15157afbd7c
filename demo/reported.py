"""A call of the company's past."""

from datetime import datetime

import msgspec

from entitlements.core.record import UsageFact


class Reported(msgspec.Struct, frozen=True):
    """A call as it reaches the service: later than it happened, sometimes by days."""

    received_at: datetime
    customer: str
    fact: UsageFact
