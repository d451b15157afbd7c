"""Published cards, and only those, price what comes after them."""

from datetime import datetime

import pytest

from kernel.usage import Usage
from metering.costing import Call
from metering.costing.queries import current_catalogue
from metering.models import CostCard


@pytest.mark.django_db
def test_the_current_catalogue_knows_published_cards_and_no_drafts(now: datetime) -> None:
    usage, call = Usage(input_tokens=1_000_000), Call("openai", "gpt-4o", now)
    card = CostCard.objects.create(provider="openai", model="gpt-4", match="prefix", effective_from=now)
    card.rates.create(kind="input_tokens", rate_nanousd_per_million=2_000_000_000)
    card.rates.create(kind="input_tokens", above_input_tokens=500_000, rate_nanousd_per_million=3_000_000_000)
    assert current_catalogue().cost(usage, call).cost_card == "genai-prices/0.2.3"
    card.status, card.published_at = CostCard.Status.PUBLISHED, now
    card.save()
    costed = current_catalogue().cost(usage, call)
    assert (costed.nanousd, costed.cost_card) == (3_000_000_000, f"card:{card.pk}")
