from entitlements.core.words import Bucket, EntryKind
from entitlements.models.customer import Customer, Entitlement, Subscription
from entitlements.models.decision import Decision
from entitlements.models.hold import Hold
from entitlements.models.ledger import Balance, CreditGrant, LedgerEntry
from entitlements.models.limit_counter import LimitCounter
from entitlements.models.margin import MarginFigure, MarginGuard
from entitlements.models.outbox import OutboxMessage
from entitlements.models.run import Run

__all__ = [
    "Balance",
    "Bucket",
    "CreditGrant",
    "Customer",
    "Decision",
    "Entitlement",
    "EntryKind",
    "Hold",
    "LedgerEntry",
    "LimitCounter",
    "MarginFigure",
    "MarginGuard",
    "OutboxMessage",
    "Run",
    "Subscription",
]
