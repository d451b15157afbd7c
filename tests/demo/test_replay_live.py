"""A recorded hour of real traffic through the real service: credits and cost are the file's, to the last digit."""

import csv
import re
from datetime import UTC, datetime
from fractions import Fraction
from math import ceil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum

from demo.seeding import ACKNOWLEDGED, CATALOGUE
from entitlements.models import Balance, LedgerEntry
from entitlements.services.customers import upsert_customer
from entitlements.services.subscriptions import subscribe
from metering.models import UsageDay, UsageEvent
from plans.catalogue_file.applying import apply_catalogue
from plans.models import PlanVersion
from tests.conftest import needs_shared

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

JOINED = datetime(2023, 11, 1, tzinfo=UTC)

# The small models' rates of the demo's standard card in 2023 (demo/catalogue.yaml), in credits per million tokens.
INPUT_CREDITS, CACHED_CREDITS, OUTPUT_CREDITS = 80, 8, 400
LEAST_CREDITS, STEP_CREDITS = Fraction("0.01"), Fraction("0.001")

# gpt-4o-mini in US dollars per million tokens: https://openai.com/api/pricing, unchanged since July 2024.
INPUT_USD, CACHED_USD, OUTPUT_USD = Fraction("0.15"), Fraction("0.075"), Fraction("0.60")

MILLION = 1_000_000


@pytest.fixture
def trace_lab(transactional_db: None) -> None:
    """A customer who pays as it goes, on the demo's catalogue."""
    apply_catalogue(CATALOGUE.read_text(), publish=True, now=JOINED, acknowledged=ACKNOWLEDGED)
    upsert_customer("trace-lab", {"name": "Trace Lab"}, JOINED)
    subscribe("trace-lab", PlanVersion.objects.get(plan__key="pay-as-you-go"), JOINED)


def sums_of(path: Path) -> tuple[int, Fraction, Fraction]:
    """Rows, credits and US dollars of a trace file, by nothing but fractions."""
    count, credits, dollars = 0, Fraction(0), Fraction(0)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            count += 1
            cached = int(row.get("cached_input_tokens", 0))
            fresh = int(row.get("ContextTokens") or row["input_tokens"]) - cached
            output = int(row.get("GeneratedTokens") or row["output_tokens"])
            exact = Fraction(fresh * INPUT_CREDITS + cached * CACHED_CREDITS + output * OUTPUT_CREDITS, MILLION)
            credits += max(LEAST_CREDITS, ceil(exact / STEP_CREDITS) * STEP_CREDITS)
            dollars += (fresh * INPUT_USD + cached * CACHED_USD + output * OUTPUT_USD) / MILLION
    return count, credits, dollars


def replayed(path: Path, url: str, key: str, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Fraction]:
    """What the command reports, by the word before the colon."""
    call_command("replay", str(path), "--url", url, "--key", key, *options)
    said = re.findall(r"^([a-z]+): ([\d.]+)", capsys.readouterr().out, re.MULTILINE)
    return {word: Fraction(figure) for word, figure in said}


@pytest.mark.parametrize("name", ["azure_2023_conv.csv", "mooncake_synthetic.csv"])
def test_a_replay_comes_to_the_sum_of_the_file_and_a_second_one_to_nothing(
    name: str,
    trace_lab: None,
    live_gate: str,
    live_key: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = needs_shared("data", "traces", name)
    count, credits, dollars = sums_of(path)

    first = replayed(path, live_gate, live_key, capsys)
    assert (first["accepted"], first["duplicates"], first["rejected"]) == (count, 0, 0)
    assert (first["credits"], first["cost"]) == (credits, dollars)

    again = replayed(path, live_gate, live_key, capsys)
    assert (again["accepted"], again["duplicates"], again["rejected"]) == (0, count, 0)
    assert (again["credits"], again["cost"]) == (0, 0)

    # What the service says it did is what it did: events, rollups, ledger and balance agree.
    charged, cost = credits * MILLION, dollars * 1000 * MILLION
    events = UsageEvent.objects.aggregate(charged=Sum("charged_microcredits"), cost=Sum("cost_nanousd"))
    assert UsageEvent.objects.count() == count
    assert (events["charged"], events["cost"]) == (charged, cost)
    days = UsageDay.objects.aggregate(calls=Sum("calls"), charged=Sum("charged_microcredits"), cost=Sum("cost_nanousd"))
    assert (days["calls"], days["charged"], days["cost"]) == (count, charged, cost)
    ledger = LedgerEntry.objects.aggregate(moved=Sum("amount_microcredits"))["moved"]
    balance = Balance.objects.get()
    assert ledger == balance.posted_microcredits - balance.debt_microcredits - balance.overage_microcredits == -charged


def test_part_of_a_trace_can_be_moved_and_the_rest_sent_later(
    trace_lab: None,
    live_gate: str,
    live_key: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = needs_shared("data", "traces", "azure_2023_code.csv")
    options = ["--start", "2024-02-29T09:00:00Z", "--batch", "300"]
    some = replayed(path, live_gate, live_key, capsys, *options, "--limit", "1000")
    assert some["accepted"] == 1000
    more = replayed(path, live_gate, live_key, capsys, *options, "--limit", "1500")
    assert (more["accepted"], more["duplicates"]) == (500, 1000)
    assert {str(day) for day in UsageDay.objects.values_list("day", flat=True)} == {"2024-02-29"}


def test_the_service_says_what_is_wrong_with_a_replay(trace_lab: None, live_gate: str, live_key: str) -> None:
    path = str(needs_shared("data", "traces", "azure_2023_code.csv"))
    with pytest.raises(CommandError, match="the API key was refused"):
        call_command("replay", path, "--url", live_gate, "--key", "weir_sk_nobody")
    with pytest.raises(CommandError, match="no customer has the key 'nobody'"):
        call_command("replay", path, "--url", live_gate, "--key", live_key, "--customer", "nobody", "--limit", "5")
    with pytest.raises(CommandError, match="no feature has the key 'flying'"):
        call_command("replay", path, "--url", live_gate, "--key", live_key, "--feature", "flying", "--limit", "5")
