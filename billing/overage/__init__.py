"""Overage as money: each ledger entry that billed some, on exactly one line of exactly one invoice. docs/adr/0011."""
