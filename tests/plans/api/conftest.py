from collections.abc import Iterator

import pytest

from access import key_cache, last_used


@pytest.fixture(autouse=True)
def _no_key_remembered() -> Iterator[None]:
    """A test's rollback takes the revision back, so keys remembered under it must go too."""
    yield
    key_cache.forget()
    last_used.forget()
