"""The margin lines: their customers have a month that adds up, and a report that differs from the scan is noticed."""

import pytest
from django.db import connection

from bench.margin_population import populate
from bench.margin_report import measure
from margins.queries.recount import differences
from metering.rollups import differences as usage_differences
from tests.world import assert_ledger_explains


@pytest.fixture
def populated(transactional_db: None) -> int:
    """A few customers of the margin bench; the id of one."""
    populate(3, 32)
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM customer")
        (customer,) = cursor.fetchone()
    return int(customer)


@pytest.mark.slow
def test_report_and_scan_say_the_same_until_a_rollup_is_wrong(populated: int) -> None:
    assert_ledger_explains(populated)
    assert list(differences()) == list(usage_differences()) == []
    results = measure()
    assert set(results) == {"margin_report", "margin_facts", "margin_scan", "margin_page"}
    assert [result.wrong for result in results.values()] == [{}, {}, {}, {}]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE usage_month SET cost_nanousd = cost_nanousd + 1 WHERE customer_id = %s", [populated])
    assert measure()["margin_report"].wrong == {"figures that differ from the scan's": 1}
