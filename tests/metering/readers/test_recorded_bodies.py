"""All 1,577 recorded provider responses read, and what they read as adds up."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from kernel.usage import check, split
from metering.readers import Reading, UnreadableUsage, read
from tests.conftest import needs_shared

READ = {
    "gemini.generate_content": 451,
    "openai.responses": 252,
    "openai.chat": 247,
    "anthropic.messages": 226,
    "bedrock.converse": 220,
    "groq": 72,
    "mistral": 44,
    "openrouter": 41,
    "cohere": 17,
    "deepseek": 4,
    "openai.embeddings": 3,
}

REFUSED: dict[str, int] = {}
"""How many are refused, by reason: none."""


@pytest.fixture(scope="module")
def bodies() -> list[dict[str, Any]]:
    lines = needs_shared("data", "usage_payloads", "real_usages.jsonl").read_text().splitlines()
    bodies = [json.loads(line) for line in lines]
    for body in bodies:
        del body["file"]
    return bodies


@pytest.fixture(scope="module")
def readings(bodies: list[dict[str, Any]]) -> list[tuple[dict[str, Any], Reading]]:
    return [(body, read(body)) for body in bodies]


def test_every_body_reads_or_says_why_not(bodies: list[dict[str, Any]]) -> None:
    formats: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for body in bodies:
        try:
            formats[read(body).format] += 1
        except UnreadableUsage as refusal:
            reasons[refusal.reason] += 1
    assert (dict(formats), dict(reasons)) == (READ, REFUSED)
    assert sum(formats.values()) == 1_577


def test_naming_the_format_reads_the_same(readings: list[tuple[dict[str, Any], Reading]]) -> None:
    assert all(read(body, reading.format) == reading for body, reading in readings)


def test_the_usage_object_alone_reads_the_same_counts(readings: list[tuple[dict[str, Any], Reading]]) -> None:
    for body, reading in readings:
        usage = body.get("usage") or body.get("usageMetadata") or body["meta"]
        assert read(usage).usage == reading.usage, body


def test_disjoint_quantities_add_up_to_the_totals(readings: list[tuple[dict[str, Any], Reading]]) -> None:
    for body, reading in readings:
        check(reading.usage)
        for priced in ((), ("cache_read_tokens", "cache_write_1h_tokens", "reasoning_tokens", "input_image_tokens")):
            tokens = sum(
                quantity for kind, quantity in split(reading.usage, priced).items() if kind.endswith("_tokens")
            )
            assert tokens == reading.usage.input_tokens + reading.usage.output_tokens, body


def test_totals_are_the_providers_own(readings: list[tuple[dict[str, Any], Reading]]) -> None:
    """Independent of the readers: each family's total, added up the way its documentation says."""
    for body, reading in readings:
        ours = reading.usage.input_tokens + reading.usage.output_tokens
        assert ours == sum(_total(body)), body


def _total(body: dict[str, Any]) -> Iterator[int]:
    usage: dict[str, Any] = body.get("usageMetadata") or body.get("usage") or body["meta"]["billed_units"]
    if "billed_units" in usage:
        usage = usage["billed_units"]
    for name in ("totalTokenCount", "total_tokens", "totalTokens"):
        if name in usage:
            yield usage[name]
            return
    cache = ("cache_creation_input_tokens", "cache_read_input_tokens")
    names = ("promptTokenCount", "input_tokens", "output_tokens", *cache)
    yield from (usage.get(name, 0) for name in names)
    for iteration in usage.get("iterations", ()):
        if iteration["type"] == "compaction":
            yield from (iteration.get(name, 0) for name in names)


def test_models_are_the_responses_own(readings: list[tuple[dict[str, Any], Reading]]) -> None:
    assert all(reading.model == (body.get("model") or body.get("modelVersion")) for body, reading in readings)
    unnamed = Counter(reading.format for _, reading in readings if reading.model is None)
    assert unnamed["bedrock.converse"] == 220, "Converse never names its model"


def test_openrouter_says_what_it_charged(readings: list[tuple[dict[str, Any], Reading]]) -> None:
    charged = [(body, reading) for body, reading in readings if reading.format == "openrouter"]
    for body, reading in charged:
        usage = body["usage"]
        # Two were sent with our own key: OpenRouter took nothing, the upstream billed us.
        upstream = usage["cost_details"]["upstream_inference_cost"] if usage.get("is_byok") else 0
        assert reading.reported_cost_nanousd == round((usage["cost"] + upstream) * 1e9), body
    assert sum(body["usage"].get("is_byok", False) for body, _ in charged) == 2
    assert all(reading.reported_cost_nanousd is None for _, reading in readings if reading.format != "openrouter")


def test_an_advisors_tokens_are_kept_apart(readings: list[tuple[dict[str, Any], Reading]]) -> None:
    advised = [reading for _, reading in readings if reading.inner]
    assert [(reading.model, reading.inner[0].model, reading.inner[0].usage.input_tokens) for reading in advised] == [
        ("claude-sonnet-5", "claude-opus-4-8", 2518),
        ("claude-sonnet-5", "claude-opus-4-8", 2529),
        ("claude-sonnet-5", "claude-fable-5", 2564),
    ]
