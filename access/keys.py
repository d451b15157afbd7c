"""API key tokens: how they are made, and what is kept of them. Pure.

A token is ``weir_sk_<8 public characters>_<43 secret characters>``. The start is stored as the
key's prefix, to recognise it in a list; of the whole only the SHA-256 is stored.
"""

import secrets
import string
from hashlib import sha256
from typing import Final, NamedTuple

ALPHABET: Final = string.ascii_letters + string.digits
PUBLIC_LENGTH: Final = 8
SECRET_LENGTH: Final = 43
"""62⁴³ > 2²⁵⁶: guessing one token is as hard as inverting its digest."""

CHALLENGE: Final = 'Bearer realm="weir"'
"""What a 401 says in WWW-Authenticate."""


class NewKey(NamedTuple):
    """A fresh token with what is stored of it."""

    token: str
    prefix: str
    digest: bytes


def generate() -> NewKey:
    """A new random token. It is shown to its owner once and never stored."""
    prefix = "weir_sk_" + _random(PUBLIC_LENGTH)
    token = f"{prefix}_{_random(SECRET_LENGTH)}"
    return NewKey(token, prefix, digest(token))


def digest(token: str) -> bytes:
    """SHA-256 of the whole token (32 bytes)."""
    return sha256(token.encode(errors="surrogatepass")).digest()


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
