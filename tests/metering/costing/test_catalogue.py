"""Finding rates: which model, at which instant, in which mode, where."""

from datetime import UTC, datetime

import pytest

from kernel.clock import parse_instant
from kernel.units import NanoUsd
from kernel.usage import Usage
from metering.costing import Call, CostCatalogue, Costed, default_catalogue
from metering.readers import read

NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)

MILLION_IN = Usage(input_tokens=1_000_000)
MILLION_OUT = Usage(output_tokens=1_000_000)
TENTH_IN = Usage(input_tokens=100_000)


def dollars(usage: Usage, model: str | None, provider: str | None = None, at: str = "", **how: str) -> str | None:
    call = Call(provider, model, parse_instant(at) if at else NOW, how.get("processing"), how.get("region"))
    nanousd = default_catalogue().cost(usage, call).nanousd
    return None if nanousd is None else str(nanousd / 1_000_000_000)


@pytest.mark.parametrize(
    ("provider", "model", "per_million"),
    [
        ("openai", "gpt-4o", "2.5"),
        ("OpenAI", " gpt-4o-2024-08-06 ", "2.5"),
        ("openai", "gpt-4o-2024-05-13", "5.0"),
        (None, "gpt-4o", "2.5"),
        (None, "text-embedding-3-small", "0.02"),
        (None, "gpt-5.2-20251211", "1.75"),
        ("litellm", "openai/gpt-4o", "2.5"),
        ("azure_openai", "gpt-4o", "2.5"),
        ("anthropic", "claude-haiku-4-5-20251001", "1.0"),
        (None, "claude-haiku-4-5-20251001", "1.0"),
        ("vertex_ai", "claude-haiku-4-5@20251001", "1.0"),
        ("gemini", "models/gemini-2.5-flash", "0.3"),
        (None, "gemini-2.5-flash", "0.3"),
        ("google", "publishers/google/models/gemini-2.5-flash", "0.3"),
        ("aws", "global.anthropic.claude-haiku-4-5-20251001-v1:0", "1.0"),
        (None, "us.anthropic.claude-haiku-4-5-20251001-v1:0", "1.1"),
        ("bedrock", "anthropic.claude-haiku-4-5-20251001-v1:0", "1.1"),
        (None, "arn:aws:bedrock:us-east-1:1:inference-profile/eu.anthropic.claude-haiku-4-5-20251001-v1:0", "1.1"),
        ("openrouter", "anthropic/claude-4.5-sonnet-20250929", "6.0"),
        (None, "meta-llama/llama-4-maverick", "0.35"),
        ("groq", "llama-3.3-70b-versatile", "0.59"),
        ("together", "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo", "0.18"),
        ("xai", "grok-3", "3.0"),
        ("openai", "gpt-5-search-api-2025-10-14", "1.25"),
        ("openai", "omni-moderation-latest", "0.0"),
        ("openai", "no-such-model", None),
        ("no-such-provider", "gpt-4o", None),
        (None, "no-such-model", None),
        (None, None, None),
        ("openai", "", None),
    ],
)
def test_who_lists_the_model(provider: str | None, model: str | None, per_million: str | None) -> None:
    assert dollars(MILLION_IN, model, provider) == per_million


def test_unknown_is_unpriced_and_says_so() -> None:
    assert default_catalogue().cost(MILLION_IN, Call("acme", "acme-1", NOW)) == Costed(None, "")


def test_the_card_names_the_catalogue_and_our_hand_in_it() -> None:
    catalogue = default_catalogue()
    assert catalogue.cost(MILLION_IN, Call("openai", "gpt-4o", NOW)).cost_card == "genai-prices/0.2.3"
    corrected = catalogue.cost(MILLION_IN, Call("anthropic", "claude-opus-4-6", NOW, region="us"))
    assert corrected.cost_card == "genai-prices/0.2.3+weir-corrections/2026-11-23"
    ours = catalogue.cost(Usage(rerank_searches=1), Call("cohere", "rerank-v3.5", NOW))
    assert ours == Costed(NanoUsd(2_000_000), "weir-corrections/2026-11-23")


@pytest.mark.parametrize(
    ("model", "at", "per_million"),
    [
        ("o3", "2025-06-09T23:59:59.999999Z", "10.0"),
        ("o3", "2025-06-10T00:00:00Z", "2.0"),
        ("o3", "2025-06-10T01:59:59+02:00", "10.0"),
        ("o3", "1969-01-01T00:00:00Z", "10.0"),
        ("gpt-5.6-sol", "2026-08-20T12:00:00Z", "10.0"),
        ("gpt-5.6-sol", "2026-08-21T12:00:00Z", "8.0"),
        ("claude-opus-4-6", "2026-03-12T23:00:00Z", "10.0"),
        ("claude-opus-4-6", "2026-03-13T00:00:00Z", "5.0"),
        ("claude-sonnet-4-20250514", "2025-08-11T23:00:00Z", "3.0"),
        ("claude-sonnet-4-20250514", "2025-08-12T00:00:00Z", "6.0"),
    ],
)
def test_the_price_of_its_day(model: str, at: str, per_million: str) -> None:
    assert dollars(MILLION_IN, model, at=at) == per_million


@pytest.mark.parametrize(
    ("model", "at", "per_million"),
    [
        ("deepseek-v4-flash", "2026-11-16T00:59:59Z", "0.15"),
        ("deepseek-v4-flash", "2026-11-16T01:00:00Z", "0.3"),
        ("deepseek-v4-flash", "2026-11-16T03:59:59Z", "0.3"),
        ("deepseek-v4-flash", "2026-11-16T04:00:00Z", "0.15"),
        ("deepseek-v4-flash", "2026-11-16T10:30:00+08:00", "0.3"),
        ("deepseek-v4-flash", "2026-08-20T12:00:00Z", "0.22"),
        ("deepseek-v4-flash", "2026-08-16T02:00:00Z", "0.14"),
        ("deepseek-v4-pro", "2026-08-16T02:00:00Z", "0.435"),
        ("deepseek-chat", "2025-09-05T15:59:59Z", "0.27"),
        ("deepseek-chat", "2025-09-05T16:00:00Z", "0.56"),
        ("deepseek-chat", "2025-08-01T17:00:00Z", "0.135"),
        ("deepseek-chat", "2025-09-29T00:00:00Z", "0.28"),
    ],
)
def test_the_price_of_its_hour(model: str, at: str, per_million: str) -> None:
    assert dollars(MILLION_IN, model, "deepseek", at) == per_million


@pytest.mark.parametrize(
    ("provider", "model", "mode", "at", "per_million"),
    [
        ("openai", "gpt-5-mini", "batch", "", "0.125"),
        ("openai", "gpt-5-mini", "flex", "", "0.125"),
        ("openai", "gpt-5-mini", "priority", "", "0.45"),
        ("openai", "gpt-5-mini", "fast", "", "0.45"),
        ("openai", "gpt-5-mini", "standard", "", "0.25"),
        ("openai", "gpt-5-mini", "sparkling", "", "0.25"),
        # Listed from October 2026 on; offered long before, at the same share of the price of the day.
        ("openai", "gpt-5-mini", "batch", "2026-02-01T00:00:00Z", "0.125"),
        ("openai", "o3", "batch", "2025-05-01T00:00:00Z", "5.0"),
        ("openai", "gpt-5.6-sol", "flex", "2026-08-01T00:00:00Z", "5.0"),
        ("anthropic", "claude-haiku-4-5", "batch", "2025-11-01T00:00:00Z", "0.5"),
        ("anthropic", "claude-opus-4-6", "batch", "2026-03-01T00:00:00Z", "5.0"),
        # Not listed at all: the provider's general rule.
        ("anthropic", "claude-3-5-haiku-20241022", "batch", "", "0.4"),
        ("anthropic", "claude-opus-4-6", "fast", "", "30.0"),
        ("anthropic", "claude-opus-5", "fast", "", "10.0"),
        ("anthropic", "claude-opus-5", "priority", "", "5.0"),
        ("openai", "text-embedding-3-small", "batch", "", "0.01"),
        ("openai", "ft:gpt-4o-2024-08-06:acme::x", "batch", "", "3.75"),
        ("google", "gemini-2.5-flash", "batch", "", "0.15"),
        ("google", "gemini-2.5-flash", "flex", "", "0.15"),
        ("google", "gemini-2.5-flash", "priority", "", "0.54"),
        ("google", "gemini-3.7-flash", "batch", "", "0.375"),
        ("azure", "gpt-5", "priority", "", "2.5"),
        ("azure", "o3-mini", "batch", "", "0.55"),
        ("aws", "amazon.nova-pro-v1:0", "flex", "", "0.4"),
        ("aws", "amazon.nova-pro-v1:0", "priority", "", "1.4"),
        ("groq", "openai/gpt-oss-120b", "batch", "", "0.075"),
        ("groq", "openai/gpt-oss-120b", "flex", "", "0.15"),
        ("mistral", "mistral-medium-latest", "batch", "", "0.75"),
    ],
)
def test_processing_modes(provider: str, model: str, mode: str, at: str, per_million: str) -> None:
    assert dollars(MILLION_IN, model, provider, at, processing=mode) == per_million


def test_batch_halves_both_context_steps_and_gemini_caches_at_the_standard_rate() -> None:
    usage = Usage(input_tokens=300_000, cache_read_tokens=100_000, output_tokens=10_000)
    batch = default_catalogue().cost(usage, Call("google", "gemini-2.5-pro", NOW, "batch"))
    assert batch.nanousd == 200_000 * 1_250 + 100_000 * 250 + 10_000 * 7_500


@pytest.mark.parametrize(
    ("provider", "model", "region", "per_million"),
    [
        ("anthropic", "claude-opus-4-6", "us", "5.5"),
        ("anthropic", "claude-opus-4-6", "global", "5.0"),
        ("anthropic", "claude-opus-4-6", "", "5.0"),
        ("anthropic", "claude-haiku-4-5", "us", "1.0"),
        ("anthropic", "claude-sonnet-5-5", "US", "2.2"),
        ("openai", "gpt-5.5", "eu", "11.0"),
        ("openai", "gpt-4o", "eu", "2.5"),
        ("azure", "gpt-4o", "eu", "2.75"),
        ("google", "claude-haiku-4-5", "us-east5", "1.1"),
        ("google", "claude-haiku-4-5", "global", "1.0"),
        ("google", "gemini-2.5-flash", "europe-west1", "0.3"),
        ("aws", "anthropic.claude-haiku-4-5-20251001-v1:0", "global", "1.0"),
        ("aws", "anthropic.claude-haiku-4-5-20251001-v1:0", "eu", "1.1"),
        ("aws", "global.anthropic.claude-haiku-4-5-20251001-v1:0", "us", "1.0"),
    ],
)
def test_regions(provider: str, model: str, region: str, per_million: str) -> None:
    assert dollars(MILLION_IN, model, provider, region=region) == per_million


def test_a_region_and_a_mode_stack_on_tokens_and_leave_searches_alone() -> None:
    usage = Usage(input_tokens=1000, output_tokens=100, web_searches=1)
    stacked = default_catalogue().cost(usage, Call("anthropic", "claude-opus-4-6", NOW, "batch", "us"))
    assert stacked.nanousd == 1000 * 2_750 + 100 * 13_750 + 10_000_000


def test_whisper_on_groq_bills_ten_seconds_at_least() -> None:
    call = Call("groq", "whisper-large-v3", NOW)
    second, ten, eleven = (Usage(audio_milliseconds=milliseconds) for milliseconds in (1_000, 10_000, 11_000))
    costs = [default_catalogue().cost(usage, call).nanousd for usage in (second, ten, eleven)]
    assert costs == [308_333, 308_333, 339_167]


def test_a_response_costs_what_it_called_inside_too() -> None:
    body = {
        "model": "claude-sonnet-5",
        "usage": {
            "input_tokens": 1000,
            "cache_read_input_tokens": 0,
            "output_tokens": 100,
            "iterations": [
                {"type": "message", "input_tokens": 1000, "output_tokens": 100},
                {"type": "advisor_message", "model": "claude-opus-4-8", "input_tokens": 500, "output_tokens": 10},
            ],
        },
    }
    costed = default_catalogue().cost_reading(read(body), Call("anthropic", "claude-sonnet-5", NOW))
    assert costed.nanousd == 1000 * 2_000 + 100 * 10_000 + 500 * 5_000 + 10 * 25_000
    body["usage"]["iterations"][1]["model"] = "claude-unheard-of"  # type: ignore[index]
    unknown = default_catalogue().cost_reading(read(body), Call("anthropic", "claude-sonnet-5", NOW))
    assert unknown == Costed(None, ""), "half a cost is no cost"


def test_many_at_once_cost_what_each_costs_alone() -> None:
    calls = [
        Call("openai", "gpt-4o", NOW),
        Call("deepseek", "deepseek-v4-flash", datetime(2026, 11, 16, 2, tzinfo=UTC)),
        Call("acme", "acme-1", NOW),
        Call("anthropic", "claude-opus-4-6", NOW, "batch", "us"),
    ]
    events = [(usage, call) for call in calls for usage in (TENTH_IN, MILLION_OUT)]
    catalogue = CostCatalogue()
    assert catalogue.cost_many(events) == [CostCatalogue().cost(usage, call) for usage, call in events]
    assert catalogue.cost_many(events) == catalogue.cost_many(events)


def test_strangers_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metering.costing.catalogue.MOST_TIMELINES", 10)
    catalogue = CostCatalogue()
    for number in range(25):
        assert catalogue.cost(MILLION_IN, Call("openai", f"stranger-{number}", NOW)).nanousd is None
    assert len(catalogue._timelines) <= 10
    assert catalogue.cost(MILLION_IN, Call("openai", "gpt-4o", NOW)).nanousd == 2_500_000_000
