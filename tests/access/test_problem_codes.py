"""docs/problems.md lists every code a caller can meet, and nothing else."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from django.test import Client

from config.docs_views import problem_entries
from kernel.errors import NotFound, Problem

PACKAGES = ("access", "billing", "entitlements", "kernel", "margins", "metering", "plans", "portal")


def every_problem() -> Iterator[type[Problem]]:
    """The classes of the whole house, not only of what happens to be imported."""
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if ".migrations" not in module.name and ".management" not in module.name:
                importlib.import_module(module.name)
    waiting = [Problem]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.split(".")[0] in PACKAGES:
            yield kind


def test_every_problem_is_documented_with_its_status_and_title() -> None:
    documented = {entry.code: (entry.status, entry.title) for entry in problem_entries()}
    assert {kind.code: (kind.status, kind.title) for kind in every_problem()} == documented


def test_every_entry_says_why_and_what_to_do() -> None:
    assert all(entry.cause.endswith(".") and entry.remedy.endswith(".") for entry in problem_entries())


def test_one_code_means_one_thing() -> None:
    meanings: dict[str, set[tuple[int, str]]] = {}
    for kind in every_problem():
        meanings.setdefault(kind.code, set()).add((kind.status, kind.title))
    assert [code for code, meaning in meanings.items() if len(meaning) > 1] == []


@pytest.mark.django_db
def test_a_problems_type_leads_to_its_entry() -> None:
    page = Client().get("/docs/problems").content.decode()
    path, _, place = str(NotFound().body()["type"]).partition("#")
    assert (path, place) == ("/docs/problems", "not_found")
    for kind in every_problem():
        assert f'id="{kind.code}"' in page
