"""The numbers the ledger stores for its words. Models build their choices from these, so both agree."""

from enum import IntEnum


class EntryKind(IntEnum):
    """Why credits moved."""

    GRANT = 1
    """A grant became effective: its amount is there to burn."""
    BURN = 2
    """Usage (or debt, or overage) paid from a grant."""
    EXPIRE = 3
    """What was left of a grant at its expiry."""
    VOID = 4
    """What was left of a grant taken back by staff."""
    DEBT = 5
    """Usage above what was available under a hard limit."""
    DEBT_PAID = 6
    """Debt paid by a later grant; the grant's own entry is a burn."""
    OVERAGE = 7
    """Usage above what was available under a soft limit."""
    OVERAGE_PAID = 8
    """Overage a later grant of the same billing period paid."""
    REFUND = 9
    """Credits given back to the grant that paid, by a correction."""
    OVERAGE_BILLED = 10
    """Overage that became money owed at the end of its period and so leaves the credits."""
    REVERSAL = 11
    """Credits whose payment went back: taken from what was left of the grant, or owed for what it had burned."""
    RESTORED = 12
    """A reversal undone: the money returned after all."""


class Bucket(IntEnum):
    """Which part of the balance an entry moves."""

    POSTED = 1
    DEBT = 2
    OVERAGE = 3
