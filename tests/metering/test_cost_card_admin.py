"""Staff write cost cards in dollars per million; published ones can only be read and ended."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from metering.models import CostCard

pytestmark = pytest.mark.django_db

CARD = {
    "provider": "openai",
    "model": "gpt-4o",
    "match": "equals",
    "processing": "",
    "region": "",
    "source": "contract of 1 November",
    "effective_from_0": "2026-11-01",
    "effective_from_1": "00:00:00",
    "effective_until_0": "",
    "effective_until_1": "",
}


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    return client


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:metering_costcard_{page}", args=arguments)


def save(client: Client, *rates: tuple[str, int, str], path: str | None = None) -> str:
    """Fill in the form of a new card; what the page says."""
    form: dict[str, Any] = CARD | {"rates-TOTAL_FORMS": len(rates), "rates-INITIAL_FORMS": 0}
    for number, (kind, above, dollars) in enumerate(rates):
        form |= {
            f"rates-{number}-kind": kind,
            f"rates-{number}-above_input_tokens": above,
            f"rates-{number}-rate_nanousd_per_million": dollars,
        }
    return client.post(path or url("add"), form, follow=True).content.decode()


def act(client: Client, card: CostCard, action: str, **form: str) -> str:
    return client.post(url(action, card.pk), {"_form_submitted": "True"} | form, follow=True).content.decode()


@pytest.fixture
def draft(staff: Client) -> CostCard:
    save(staff, ("input_tokens", 0, "2.5"), ("input_tokens", 200_000, "5"), ("cache_read_tokens", 0, "0.000000001"))
    return CostCard.objects.get()


def test_rates_are_typed_in_dollars_and_kept_exactly(draft: CostCard) -> None:
    assert draft.created_by == "ada"
    assert draft.effective_from == datetime(2026, 11, 1, tzinfo=UTC)
    stored = draft.rates.values_list("kind", "above_input_tokens", "rate_nanousd_per_million")
    assert set(stored) == {
        ("input_tokens", 0, 2_500_000_000),
        ("input_tokens", 200_000, 5_000_000_000),
        ("cache_read_tokens", 0, 1),
    }


@pytest.mark.parametrize(
    ("dollars", "says"), [("-1", "negative"), ("2,5", "plain decimal string"), ("0.0000000001", "9 decimal")]
)
def test_a_bad_rate_is_told_at_its_field(staff: Client, dollars: str, says: str) -> None:
    assert says in save(staff, ("input_tokens", 0, dollars))
    assert not CostCard.objects.exists()


def test_publishing_fixes_the_card_and_shows_it_as_a_price_list(staff: Client, draft: CostCard) -> None:
    assert "is published" in act(staff, draft, "publish")
    draft.refresh_from_db()
    assert (draft.status, draft.published_at is not None) == ("published", True)
    page = staff.get(url("change", draft.pk)).content.decode()
    assert "2.5" in page
    assert 'name="rates-0-rate_nanousd_per_million"' not in page
    assert staff.post(url("change", draft.pk), CARD).status_code == 403
    assert staff.post(url("delete", draft.pk), {"post": "yes"}).status_code == 403


def test_a_card_without_rates_and_one_published_twice_are_refused(staff: Client, draft: CostCard) -> None:
    draft.rates.all().delete()
    assert "no rates" in act(staff, draft, "publish")
    draft.rates.create(kind="input_tokens", rate_nanousd_per_million=1)
    act(staff, draft, "publish")
    assert "Only a draft" in act(staff, draft, "publish")


def test_two_cards_for_the_same_calls_need_different_dates(staff: Client, draft: CostCard) -> None:
    act(staff, draft, "publish")
    save(staff, ("input_tokens", 0, "3"))
    second = CostCard.objects.get(status="draft")
    assert "same instant" in act(staff, second, "publish")


def test_a_published_card_is_ended_once_and_after_its_start(staff: Client, draft: CostCard) -> None:
    assert "without an end" in act(staff, draft, "end", until_0="2027-01-01", until_1="00:00")
    act(staff, draft, "publish")
    assert "must be after" in act(staff, draft, "end", until_0="2026-11-01", until_1="00:00")
    act(staff, draft, "end", until_0="2027-01-01", until_1="00:00")
    draft.refresh_from_db()
    assert draft.effective_until == datetime(2027, 1, 1, tzinfo=UTC)
    assert "without an end" in act(staff, draft, "end", until_0="2028-01-01", until_1="00:00")
