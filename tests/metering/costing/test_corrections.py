"""Our corrections stay honest: each line names its source, and still changes something."""

from datetime import UTC, date, datetime, timedelta
from fnmatch import fnmatchcase

import pytest

from kernel.usage import Usage
from metering.costing import Call, CostCatalogue
from metering.costing.corrections import Corrections, RateLine, RegionLine, shipped
from metering.costing.defaults import providers

NOW = datetime(2026, 11, 15, tzinfo=UTC)

NONE = Corrections(version=date(2026, 1, 1), rates=[], modes=[], regions=[], minimums=[])

EVERYTHING = Usage(
    input_tokens=900_000,
    cache_read_tokens=100_000,
    cache_write_5m_tokens=10_000,
    cache_write_1h_tokens=10_000,
    input_audio_tokens=1_000,
    input_image_tokens=1_000,
    output_tokens=10_000,
    output_audio_tokens=1_000,
)

USAGES = [EVERYTHING, Usage(input_tokens=1_000, input_image_tokens=500), Usage(rerank_searches=1)]
"""Every kind a correction may touch: a long context, an embedding, a search."""

IN_MODE = {
    ("openai", "text-embedding-3-small"): "batch",
    ("azure", "o3-mini"): "batch",
    ("anthropic", "claude-opus-4-1"): "batch",
    ("anthropic", "claude-opus-4-6"): "fast",
    ("google", "gemini-2.0-flash"): "batch",
    ("google", "gemini-3.7-flash"): "batch",
    ("google", "gemini-2.5-pro"): "flex",
    ("google", "gemini-2.5-flash"): "priority",
    ("aws", "amazon.nova-lite-v1:0"): "batch",
    ("aws", "amazon.nova-pro-v1:0"): "flex",
    ("aws", "amazon.nova-premier-v1:0"): "priority",
    ("mistral", "mistral-large-2411"): "batch",
    ("groq", "llama-3.3-70b-versatile"): "batch",
}
"""One model for each mode line, whose mode the catalogue does not list."""


def test_every_line_says_where_it_is_from_and_when_it_was_read() -> None:
    corrections = shipped()
    for line in corrections.lines():
        assert line.source, line
        assert date(2026, 1, 1) < line.read <= corrections.version, line


@pytest.mark.parametrize("line", shipped().rates, ids=lambda line: f"{line.models[0]} from {line.since}")
def test_every_rate_line_changes_a_price(line: RateLine) -> None:
    """A line the catalogue has caught up with is to be deleted."""
    instants = [line.since or datetime(2024, 1, 1, tzinfo=UTC), (line.until or NOW) - timedelta(hours=21)]
    calls = [Call(line.provider, model.replace("*", "-2024-12-17"), at) for model in line.models for at in instants]
    assert any(changes(call) for call in calls)


@pytest.mark.parametrize(("provider", "model"), IN_MODE)
def test_every_mode_line_changes_a_price_in_its_mode_alone(provider: str, model: str) -> None:
    call = Call(provider, model, NOW, IN_MODE[provider, model])
    assert changes(call)
    assert not changes(call._replace(processing=None))


def test_every_mode_line_has_an_example() -> None:
    tried = {(provider, mode) for (provider, _), mode in IN_MODE.items()}
    assert {(line.provider, line.mode) for line in shipped().modes} == tried


def test_a_mode_line_may_keep_a_general_rule_away() -> None:
    assert not changes(Call("openai", "ft:gpt-4o-2024-08-06:acme::1", NOW, "batch"))


@pytest.mark.parametrize("line", shipped().regions, ids=lambda line: line.provider)
def test_every_region_pattern_changes_a_price(line: RegionLine) -> None:
    region = line.regions[0].replace("*", "europe-west4")
    listed = [model.id for provider in providers() if provider.id == line.provider for model in provider.models]
    # Azure lists little of its own: it sells OpenAI's models at OpenAI's prices.
    listed += [
        model.id for provider in providers() if provider.id in ("openai", "anthropic") for model in provider.models
    ]
    listed += ["claude-mythos-5", "gpt-realtime-2.1"]
    for pattern in line.models:
        matching = [model for model in listed if fnmatchcase(model, pattern)]
        assert any(changes(Call(line.provider, model, NOW, None, region)) for model in matching), pattern


def changes(call: Call) -> bool:
    """Whether the corrections change what any usage costs in such a call."""
    ours, plain = CostCatalogue(), CostCatalogue(corrections=NONE)
    return any(ours.cost(usage, call).nanousd != plain.cost(usage, call).nanousd for usage in USAGES)
