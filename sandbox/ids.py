"""Identifiers that look like Stripe's, and with a seed are the same in every run."""

from hashlib import blake2b

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

PREFIX = {
    "balance_transaction": "txn",
    "billing_portal.session": "bps",
    "charge": "ch",
    "checkout.session": "cs_test",
    "customer": "cus",
    "dispute": "du",
    "event": "evt",
    "invoice": "in",
    "invoice_payment": "inpay",
    "invoiceitem": "ii",
    "item": "li",
    "line_item": "il",
    "payment_intent": "pi",
    "payment_method": "pm",
    "price": "price",
    "product": "prod",
    "refund": "re",
    "request": "req",
    "setup_attempt": "setatt",
    "setup_intent": "seti",
    "subscription": "sub",
    "subscription_item": "si",
    "test_helpers.test_clock": "clock",
    "webhook_endpoint": "we",
}
"""What an identifier begins with, by the object's name."""

_LENGTH = {"checkout.session": 58, "request": 14}


def identifier(seed: str, kind: str, number: int) -> str:
    """The `number`-th identifier of its kind."""
    return f"{PREFIX[kind]}_{letters(seed, f'{kind}:{number}', _LENGTH.get(kind, 24))}"


def letters(seed: str, label: str, length: int) -> str:
    """`length` letters and digits that depend on nothing but their arguments."""
    digest = int.from_bytes(b"".join(blake2b(f"{seed}:{label}:{part}".encode()).digest() for part in (0, 1)))
    text = ""
    while len(text) < length:
        digest, position = divmod(digest, len(_ALPHABET))
        text += _ALPHABET[position]
    return text
