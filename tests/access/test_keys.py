import re
from hashlib import sha256

from access.keys import digest, generate


def test_a_token_begins_with_its_public_prefix_and_hides_the_rest() -> None:
    new = generate()
    assert re.fullmatch(r"weir_sk_[A-Za-z0-9]{8}_[A-Za-z0-9]{43}", new.token)
    assert new.token.startswith(new.prefix + "_")
    assert len(new.prefix) == 16


def test_only_the_sha256_of_the_whole_token_is_kept() -> None:
    new = generate()
    assert new.digest == digest(new.token) == sha256(new.token.encode()).digest()


def test_no_two_tokens_are_alike() -> None:
    assert len({generate().token for _ in range(100)}) == 100


def test_a_header_that_is_not_even_text_has_a_digest() -> None:
    assert len(digest("weir_sk_\udcff")) == 32
