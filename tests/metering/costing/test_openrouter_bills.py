"""39 calls with what OpenRouter says it charged: 34 agree to the nano-USD, and each miss has its reason.

Why list prices miss is explained in docs/adr/0004-cost-catalogue.md; it is also why a reported cost is
preferred to a computed one, and both are kept.
"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from kernel.units import parse_usd
from metering.costing import Call, default_catalogue
from metering.readers import read
from tests.conftest import needs_shared

NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)

MISSES = {
    # The bill includes another model's work: the advisor OpenRouter called on the way.
    ("openai/gpt-4o-mini", "0.0160614"): 176_400,
    # 0.002 dollars of the bill are a plugin's, which parsed a PDF.
    ("openai/gpt-5.1-codex-mini", "0.00216775"): 167_750,
    # OpenRouter lists its cheapest provider's price and routed the call to a dearer one.
    ("qwen/qwen3-30b-a3b-instruct-2507", "0.00004"): None,
    # Recorded before OpenAI's price cut of 2026-08-21: see the last test.
    ("openai/gpt-5.6-sol", "0.025265"): None,
    ("openai/gpt-5.6-sol", "0.002196"): None,
}
"""What is billed and not computed, by model and bill; what is computed, where that is the whole rest of the bill."""


@pytest.fixture(scope="module")
def bills() -> list[dict[str, Any]]:
    truth = json.loads(needs_shared("data", "usage_payloads", "openrouter_billed_truth.json").read_text())
    rows: list[dict[str, Any]] = truth if isinstance(truth, list) else truth["rows"]
    assert len(rows) == 39
    return rows


def computed(bill: dict[str, Any], at: datetime = NOW) -> int | None:
    reading = read({"model": bill["model"], "usage": bill["usage"]})
    return default_catalogue().cost(reading.usage, Call(reading.provider, reading.model, at)).nanousd


def test_the_reported_cost_is_the_bill(bills: list[dict[str, Any]]) -> None:
    for bill in bills:
        assert read({"usage": bill["usage"]}).reported_cost_nanousd == parse_usd(bill["billed_usd"]), bill


def test_list_prices_agree_with_34_of_39_bills(bills: list[dict[str, Any]]) -> None:
    differing = [bill for bill in bills if computed(bill) != parse_usd(bill["billed_usd"])]
    assert {(bill["model"], bill["billed_usd"]) for bill in differing} == MISSES.keys()
    assert len(differing) == 5


def test_what_list_prices_cannot_see_is_the_rest_of_the_bill(bills: list[dict[str, Any]]) -> None:
    for bill in bills:
        expected = MISSES.get((bill["model"], bill["billed_usd"]))
        if expected is not None:
            details = bill["usage"]["cost_details"]
            parts = details["upstream_inference_prompt_cost"] + details["upstream_inference_completions_cost"]
            assert computed(bill) == expected == round(parts * 1e9), bill


def test_calls_before_a_price_cut_cost_what_they_were_billed(bills: list[dict[str, Any]]) -> None:
    then = datetime(2026, 8, 1, tzinfo=UTC)
    old = [bill for bill in bills if bill["model"] == "openai/gpt-5.6-sol"]
    assert [computed(bill, then) for bill in old] == [parse_usd(bill["billed_usd"]) for bill in old]
    assert len(old) == 2
