"""The pages of each topic, the report and their downloads."""

import csv
import re
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from djmoney.money import Money

from entitlements.models import Run
from kernel.ids import key_digest, new_id
from margins.models import FeatureBenefit, FxRate
from tests.margins.books import Books, at, cost_line, feature, plan

pytestmark = pytest.mark.django_db

DAYS = {"from": "2026-11-01", "to": "2026-12-01"}
TOPICS = ("bridge", "people", "features", "savings", "runs", "checklist", "report")
TABLES = (
    "advice", "benchmarks", "bridge", "bridge-features", "bridge-models", "build-or-buy", "caches", "checklist",
    "cohort-costs", "cohorts", "concentration", "customers", "days", "features", "findings", "heavy-users",
    "model-costs", "models", "months", "payback", "plans", "runs", "saved", "tasks", "unpriced", "users",
)  # fmt: skip


@pytest.fixture
def acme() -> Books:
    """Two months of chat at a price that fell, an agent's tree, and what chat is said to earn."""
    cost_line("hosting", "per_customer", "8")
    books = Books.open("acme").subscribes(plan("pro", "100"), on=at(1, 0, month=10))
    for day in (3, 4):
        books.uses("chat", at=at(day, month=10), user="ada", cost_usd="20")
        books.uses("chat", at=at(day), user="ada", cost_usd="18", credits=3)
    books.uses("chat", at=at(5), user="<bob>", model="brand-new", cost_usd=None)
    FeatureBenefit.objects.create(
        feature=feature("chat"), amount=Money(25, "USD"), assumption="Exit survey", starts_on=at(1).date()
    )
    outer = new_id()
    for key, inside, cost in (("plan", [], 5), ("read", [outer], 3)):
        Run.objects.create(
            customer_id=books.customer.pk, id=outer if key == "plan" else new_id(), key=key, key_digest=key_digest(key),
            body_digest=key_digest(key), ancestors=inside, opened_at=at(5), steps=1, cost_nanousd=cost * 10**9,
        )  # fmt: skip
    return books


def html(response: Any) -> str:
    assert response.status_code == 200, response.content[:500]
    text: str = response.content.decode()
    return text


def rows(response: Any) -> list[dict[str, str]]:
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(StringIO(response.content.decode())))


@pytest.mark.parametrize("topic", TOPICS)
def test_only_staff_see_a_topic(client: Client, topic: str) -> None:
    response = client.get(f"/margins/{topic}/")
    assert (response.status_code, response["Location"][:13]) == (302, "/admin/login/")


@pytest.mark.parametrize("topic", TOPICS)
def test_an_empty_house_has_every_page(staff: Client, topic: str) -> None:
    html(staff.get(f"/margins/{topic}/"))


@pytest.mark.parametrize("table", TABLES)
def test_every_table_can_be_downloaded_with_and_without_rows(staff: Client, acme: Books, table: str) -> None:
    assert rows(staff.get(f"/margins/{table}.csv", {"from": "2020-01-01", "to": "2020-02-01"})) is not None
    found = rows(staff.get(f"/margins/{table}.csv", DAYS))
    assert found or table in {"advice", "saved", "findings"}


@pytest.mark.parametrize("topic", ["", "customers/acme/", *(f"{topic}/" for topic in TOPICS)])
def test_a_page_links_only_to_what_is_there_and_escapes_what_it_is_told(staff: Client, acme: Books, topic: str) -> None:
    page = html(staff.get(f"/margins/{topic}", DAYS))
    assert "<bob>" not in page
    content = page[page.index('class="margins') :]
    for address in {found.replace("&amp;", "&") for found in re.findall(r'href="(/[^"]+)"', content)}:
        if not address.startswith("/static/"):
            assert staff.get(address).status_code == 200, address


def test_the_dashboard_tells_each_topic_in_a_sentence(staff: Client, acme: Books) -> None:
    page = html(staff.get("/margins/", DAYS))
    assert (
        "on inference cost $36.00, $4.00 less than in the 30 days before. Prices alone made it $4.00 cheaper." in page
    )
    assert "The heaviest 5 % of users (1 of 2) hold 100.0 % of inference cost." in page
    assert "What the user at the 95th percentile brings covers its $36.00." in page
    for heading in ("Models", "Features", "Savings", "Month by month", "Margin resilience", "Plan audit"):
        assert f">{heading}</h2>" in page
    assert page.count("The chart as a table") == 3


def test_a_customers_figures_lead_to_the_calls_behind_them(staff: Client, acme: Books) -> None:
    page = html(staff.get("/margins/customers/acme/", DAYS))
    for words, calls in (("gpt-4o", 2), ("brand-new", 1), ("chat", 3), ("ada", 2), ("Tue 3 Nov 2026", 1)):
        address = re.search(rf'<a href="([^"]+)">{words}</a>', page)
        assert address is not None, words
        assert staff.get(address[1].replace("&amp;", "&")).context["cl"].result_count == calls


def test_several_currencies_are_told_together_as_far_as_there_are_rates(staff: Client, acme: Books) -> None:
    eu = plan("eu", "90", currency="EUR")
    Books.open("berlin", currency="EUR").subscribes(eu).uses("chat", at=at(2), cost_usd="5")
    page = html(staff.get("/margins/", DAYS))
    assert "All currencies, in USD" in page
    assert "no rate for EUR" in page
    for day in range(1, 31):
        FxRate.objects.create(currency="EUR", into="USD", day=at(day).date(), rate="1.2", source="ECB")
    page = html(staff.get("/margins/", DAYS))
    assert "of $208.00" in page, "100 dollars, and 90 euro at 1.20"


def test_nothing_before_is_compared_with_the_first_half(staff: Client) -> None:
    acme = Books.open("acme")
    acme.uses("chat", at=at(3), cost_usd="1")
    acme.uses("chat", at=at(20), cost_usd="3")
    page = html(staff.get("/margins/", DAYS))
    assert "From 16 November on inference cost $3.00, $2.00 more than in the 15 days before." in page


def test_the_people_page_leads_to_each_users_events(staff: Client, acme: Books) -> None:
    page = html(staff.get("/margins/people/", DAYS))
    assert f"customer__id__exact={acme.customer.pk}&amp;user_key=ada" in page
    heavy, light = rows(staff.get("/margins/heavy-users.csv", DAYS))
    assert (heavy["User"], heavy["Cost"], heavy["Revenue"], heavy["Covered"]) == ("ada", "36", "50", "yes")
    assert (light["User"], light["Cost"], light["Share of cost"]) == ("<bob>", "0", "0")


def test_the_features_page_says_whether_a_feature_pays(staff: Client, acme: Books) -> None:
    (paid,) = rows(staff.get("/margins/payback.csv", DAYS))
    assert (paid["Feature"], paid["Benefit"], paid["Active users"], paid["Assumption"]) == (
        "chat",
        "25",
        "2",
        "Exit survey",
    )
    page = html(staff.get("/margins/features/", DAYS))
    assert "Exit survey" in page
    assert "AI (at least 52 %)" in page


def test_a_tree_is_shown_depth_by_depth(staff: Client, acme: Books) -> None:
    page = html(staff.get("/margins/runs/", DAYS))
    address = re.search(r'href="(/margins/customers/acme/runs/[^"]+)"', page)
    assert address is not None
    tree = html(staff.get(address[1].replace("&amp;", "&")))
    for figure in ("Depth 1", "$2.00", "Depth 2", "$3.00", "$5.00"):
        assert figure in tree
    assert staff.get(f"/margins/customers/acme/runs/{new_id()}/").status_code == 404


def test_the_report_is_a_document_of_its_own_with_a_sheet_a_topic(staff: Client, acme: Books) -> None:
    page = html(staff.get("/margins/report/", DAYS))
    assert page.startswith("<!doctype html>")
    assert page.count('class="sheet"') == 10
    assert "1 November 2026 to 30 November 2026" in page
    assert "<details" in page
    assert page.count('<details class="margins-fallback" open') == 2, "on paper nothing can be unfolded"


def test_a_server_that_is_no_number_is_the_usual_one(staff: Client, acme: Books) -> None:
    page = html(
        staff.get("/margins/savings/", DAYS | {"usd_per_month": "5000", "busy_percent": "x", "tokens_per_second": "0"})
    )
    assert "a server at $5,000 a month that serves 5,000 tokens a second and is busy 40 %" in page
