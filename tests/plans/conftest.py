from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from plans.models import PlanVersion, RateCardVersion
from tests.plans.catalogue_text import SMALL

NOON = datetime(2026, 11, 15, 12, 0, tzinfo=UTC)


@pytest.fixture
def apply(db: None) -> Callable[..., list[Any]]:
    """Apply a catalogue file's text."""
    from plans.catalogue_file.applying import apply_catalogue

    def run(text: str = SMALL, *, publish: bool = False) -> list[Any]:
        return apply_catalogue(text, publish=publish, now=NOON)

    return run


@pytest.fixture
def drafts(apply: Callable[..., list[Any]]) -> PlanVersion:
    """The small catalogue as drafts; the plan's version 1."""
    apply()
    return PlanVersion.objects.get(plan__key="pro", number=1)


@pytest.fixture
def on_sale(apply: Callable[..., list[Any]]) -> PlanVersion:
    """The small catalogue, published; the plan's version 1."""
    apply(publish=True)
    return PlanVersion.objects.get(plan__key="pro", number=1)


@pytest.fixture
def card_version(on_sale: PlanVersion) -> RateCardVersion:
    return RateCardVersion.objects.get(card__key="standard", number=1)
