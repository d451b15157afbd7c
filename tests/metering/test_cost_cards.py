"""An operator's cost card acts from its commit on, for its own dates, and never changes afterwards."""

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from entitlements.core.record import Recorded
from kernel.usage import Usage
from metering.models import CostCard, UsageEvent
from tests.accounts import fact
from tests.world import Actor, World

HT59 = Usage(input_tokens=1000, cache_read_tokens=800, output_tokens=100)


def card(now: datetime, **parts: object) -> CostCard:
    """A card of 2 / 0.2 cached / 8 USD per million for gpt-4o-mini."""
    made = CostCard.objects.create(**({"provider": "openai", "model": "gpt-4o-mini", "effective_from": now} | parts))
    for kind, dollars in (("input_tokens", 2.0), ("cache_read_tokens", 0.2), ("output_tokens", 8.0)):
        made.rates.create(kind=kind, rate_nanousd_per_million=int(dollars * 1_000_000_000))
    made.status, made.published_at = CostCard.Status.PUBLISHED, now
    made.save()
    return made


@pytest.fixture
def acme(db: None, now: datetime) -> Actor:
    return Actor("acme", now, World().pro)


def test_a_card_prices_usage_from_its_first_instant_and_stamps_the_event(acme: Actor, now: datetime) -> None:
    made = card(now)
    acme.uses(fact("before", at=now - timedelta(seconds=1), usage=HT59), fact("from", at=now, usage=HT59))
    before, after = UsageEvent.objects.order_by("occurred_at")
    assert (after.cost_nanousd, after.cost_card) == (1_360_000, f"card:{made.pk}")
    assert before.cost_card.startswith("genai-prices/")


def test_a_later_card_does_not_move_what_was_stamped(acme: Actor, now: datetime) -> None:
    acme.uses(fact("e1", at=now, usage=HT59))
    stamped = UsageEvent.objects.get().cost_nanousd
    card(now - timedelta(days=1))
    (again,) = acme.uses(fact("e1", at=now, usage=HT59))
    assert isinstance(again, Recorded)
    assert again.cost_nanousd == UsageEvent.objects.get().cost_nanousd == stamped


def test_a_published_card_cannot_be_changed_but_may_end_once(acme: Actor, now: datetime) -> None:
    made = card(now)
    rate = made.rates.first()
    assert rate is not None
    for change in (
        lambda: made.rates.create(kind="web_searches", rate_nanousd_per_million=1),
        lambda: made.rates.update(rate_nanousd_per_million=1),
        lambda: CostCard.objects.update(model="other"),
        rate.delete,
        made.delete,
    ):
        with pytest.raises(IntegrityError, match="published"), transaction.atomic():
            change()
    CostCard.objects.update(effective_until=now + timedelta(days=9))
    with pytest.raises(IntegrityError, match="published"), transaction.atomic():
        CostCard.objects.update(effective_until=None)
