"""What of money in `manage.py audit_ledger` proves besides the ledger's own promises."""

from entitlements.audit import Check, add_check
from kernel.sql_files import sql_file

_CHECKS = (
    ("payments_are_granted", "payments", "what was paid was granted, at what was paid for it, and nothing else was"),
    ("reversals_are_entered", "reversed grants", "what refunds and disputes took from grants is what the ledger says"),
)


def add_checks() -> None:
    """Have them run with the others. Twice is once."""
    for name, rows, promise in _CHECKS:
        add_check(Check(name, promise, rows, sql_file("billing", name)))
