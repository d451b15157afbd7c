from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.embedded_postgres.attach import stop
from tests.config.embedded_postgres.users import User


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A place for a server that does not exist yet; whatever runs there in the end is stopped."""
    place = tmp_path / "postgres"
    yield place
    stop(place)


@pytest.fixture
def a_user(folder: Path) -> Iterator[Callable[..., User]]:
    """Starts processes that use the server in `folder`."""
    users: list[User] = []

    def start(**options: object) -> User:
        users.append(User(folder, **options))  # type: ignore[arg-type]
        return users[-1]

    yield start
    for user in users:
        user.leaves()
