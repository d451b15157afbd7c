from entitlements.core.words import Bucket, EntryKind
from entitlements.models.customer import Customer, Entitlement, Subscription
from entitlements.models.ledger import Balance, CreditGrant, Hold, LedgerEntry

__all__ = [
    "Balance",
    "Bucket",
    "CreditGrant",
    "Customer",
    "Entitlement",
    "EntryKind",
    "Hold",
    "LedgerEntry",
    "Subscription",
]
