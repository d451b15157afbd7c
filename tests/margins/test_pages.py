"""The staff pages: who gets in, what they show, and that downloads are exact and harmless."""

import csv
from io import StringIO
from typing import Any

import pytest
from django.test import Client

from margins.pages.words import completeness_tone
from tests.margins.books import Books, at, cost_line, plan

pytestmark = pytest.mark.django_db

NOVEMBER = {"from": "2026-11-01", "to": "2026-12-01"}


@pytest.fixture
def company() -> None:
    """A healthy customer, a losing one with an unpriced model, and one billed in euro."""
    cost_line("hosting", "per_customer", "8")
    pro = plan("pro", "100")
    Books.open("healthy").subscribes(pro).uses("chat", at=at(3), credits=2, cost_usd="10")
    losing = Books.open("losing").subscribes(pro)
    losing.uses("chat", at=at(3), credits=1, cost_usd="250")
    losing.uses("search", at=at(4), credits=1, model="brand-new", cost_usd=None)
    Books.open("berlin", currency="EUR").subscribes(plan("eu", "90", currency="EUR")).uses(
        "chat", at=at(2), cost_usd="5"
    )


def html(response: Any) -> str:
    assert response.status_code == 200, response.content[:500]
    text: str = response.content.decode()
    return text


def rows(response: Any) -> list[dict[str, str]]:
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith("attachment;")
    return list(csv.DictReader(StringIO(response.content.decode())))


@pytest.mark.parametrize(
    "path",
    ["/margins/", "/margins/customers/healthy/", "/margins/customers.csv", "/margins/customers/healthy/days.csv"],
)
def test_only_staff_get_in(company: None, client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


def test_the_overview_shows_losses_first_and_what_to_price_first(company: None, staff: Client) -> None:
    page = html(staff.get("/margins/", NOVEMBER))
    assert page.index("Losing</a>") < page.index("Healthy</a>")
    assert "Berlin" not in page, "another billing currency is another page"
    assert "1 calls have no supplier cost" in page
    assert "<code>brand-new</code>" in page
    assert 'aria-labelledby="trend-title trend-description"' in page
    assert "The chart as a table" in page
    assert "−38.0 %" in page, "200 of revenue, 276 of COGS"
    assert "66.7 %" in page, "two of three calls are priced"


@pytest.mark.parametrize(
    ("ratio", "tone"),
    [(None, ""), ("1", ""), ("0.99", ""), ("0.989999", "caution"), ("0.9", "caution"), ("0.89", "loss")],
)
def test_completeness_is_coloured_by_how_much_is_missing(ratio: str | None, tone: str) -> None:
    assert completeness_tone(ratio) == tone


def test_the_overview_of_another_billing_currency_says_what_cannot_be_converted(company: None, staff: Client) -> None:
    page = html(staff.get("/margins/", NOVEMBER | {"currency": "EUR"}))
    assert "Berlin</a>" in page
    assert "Healthy" not in page
    assert "needs an exchange rate" in page
    assert "$13.00 not convertible" in page


def test_a_customers_page_breaks_its_margin_down(company: None, staff: Client) -> None:
    page = html(staff.get("/margins/customers/healthy/", NOVEMBER))
    for figure in ("$100.00", "$18.00", "82.0 %", "Inference", "Hosting", "By feature", "By model", "By day", "gpt-4o"):
        assert figure in page


def test_a_customer_nobody_knows_is_not_found(staff: Client) -> None:
    assert staff.get("/margins/customers/nobody/").status_code == 404
    assert staff.get("/margins/nonsense.csv").status_code == 404


def test_an_empty_house_has_an_empty_page(staff: Client) -> None:
    page = html(staff.get("/margins/"))
    assert "No days to show" in page
    assert "Nothing in these days." in page


@pytest.mark.parametrize("query", [{"from": "x"}, {"from": "2026-12-01", "to": "2026-11-01"}, {"to": "9999-12-31"}])
def test_a_malformed_period_is_said_so_and_the_usual_one_shown(staff: Client, query: dict[str, str]) -> None:
    page = html(staff.get("/margins/", query))
    assert "Showing the last 30 days" in page
    assert 'value="2026-11-16"' in page


def test_downloads_are_exact_and_of_every_currency(company: None, staff: Client) -> None:
    losing, healthy, berlin = sorted(rows(staff.get("/margins/customers.csv", NOVEMBER)), key=_order)
    assert [row["customer"] for row in (losing, healthy, berlin)] == ["losing", "healthy", "berlin"]
    assert (healthy["revenue"], healthy["cogs_hosting"], healthy["cogs_inference"]) == ("100", "8", "10")
    assert (healthy["gross_margin"], healthy["margin_ratio"]) == ("82", "0.82")
    assert (berlin["gross_margin"], berlin["not_convertible_cogs_USD"]) == ("", "13")
    assert losing["unpriced_calls"] == "1"


def _order(row: dict[str, str]) -> float:
    return float(row["gross_margin"] or "inf")


def test_every_table_can_be_downloaded(company: None, staff: Client) -> None:
    by_model = rows(staff.get("/margins/models.csv", NOVEMBER))
    assert {row["model"] for row in by_model} >= {"gpt-4o", "brand-new"}
    by_feature = rows(staff.get("/margins/customers/healthy/features.csv", NOVEMBER))
    assert {row["feature"]: row["calls"] for row in by_feature} == {"chat": "1", "": "0"}
    (unpriced,) = rows(staff.get("/margins/unpriced.csv", NOVEMBER))
    assert unpriced == {"model": "brand-new", "unpriced_calls": "1", "calls": "1", "tokens": "1000", "customers": "1"}


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "@x", "-1"])
def test_a_spreadsheet_does_not_run_what_a_customer_is_called(staff: Client, name: str) -> None:
    Books.open(name).uses("chat", at=at(3), cost_usd="1")
    (row,) = rows(staff.get("/margins/customers.csv", NOVEMBER))
    assert row["customer"] == f"'{name}"


def test_a_page_escapes_what_customers_and_models_are_called(staff: Client) -> None:
    Books.open("<b>x").uses("chat", at=at(3), model="<script>alert(1)</script>", cost_usd=None)
    page = html(staff.get("/margins/", NOVEMBER)) + html(staff.get("/margins/customers/<b>x/", NOVEMBER))
    assert "<script>alert" not in page
    assert "<b>x" not in page.lower()


def test_a_day_that_changed_once_it_was_over_says_so(company: None, staff: Client) -> None:
    pages = ("/margins/", "/margins/customers/in-time/")
    Books.open("in-time").uses("chat", at=at(3), cost_usd="2")
    assert not any("once over" in html(staff.get(page, NOVEMBER)) for page in pages)
    Books.open("later").uses("chat", at=at(3), recorded=at(5), cost_usd="1.25")
    Books.open("unheard-of", currency="EUR").uses("chat", at=at(4), recorded=at(6), cost_usd="1")
    overview, theirs = html(staff.get("/margins/", NOVEMBER)), html(staff.get("/margins/customers/later/", NOVEMBER))
    for page in (overview, theirs):
        assert "One of these days was restated once over" in page
        assert page.count("Tue 3 Nov 2026</a> <small>restated</small>") == 1
        assert 'title="1.25">$1.25</td>' in page
    assert "once over" not in html(staff.get("/margins/customers/in-time/", NOVEMBER)), "somebody else's day"
    late, euro = rows(staff.get("/margins/restated.csv", NOVEMBER))
    assert (late["day"], late["currency"], late["calls"], late["inference_usd"]) == ("2026-11-03", "USD", "1", "1.25")
    assert (euro["day"], euro["currency"]) == ("2026-11-04", "EUR")
    (only,) = rows(staff.get("/margins/customers/later/restated.csv", NOVEMBER))
    assert only == late
