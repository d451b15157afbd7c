"""Which family a reported model id belongs to. Ids are real ones, from providers, clouds and gateways."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plans.model_names import LONGEST_ID, MatchRule, ModelName, ModelNames, same_model

REAL_USAGES = Path(__file__).parents[3] / "shared/data/usage_payloads/real_usages.jsonl"


def prefixes(*patterns: str) -> tuple[MatchRule, ...]:
    return tuple(MatchRule("prefix", pattern) for pattern in patterns)


KEYS = """
    gpt-4 gpt-4-turbo gpt-4o gpt-4.1 gpt-4.1-mini gpt-5 gpt-5-mini gpt-5.4 gpt-5.5 gpt-5.6 o1 o3 o3-mini o4-mini
    claude-sonnet-4 claude-sonnet-5 claude-opus-4-6 claude-haiku-4-5 gemini-2.0-flash gemini-2.5-flash gemini-2.5-pro
    mistral-large deepseek-v4 llama-3.3-70b gpt-oss-120b
"""
FAMILIES = [
    # Every family has a rule for its own prefix: the careless set-up that must not misfire.
    *(ModelName(key, matches=prefixes(key)) for key in KEYS.split()),
    ModelName(
        "claude-sonnet-4-5",
        aliases=("claude-sonnet-4.5", "anthropic/claude-4.5-sonnet-20250929"),
        matches=prefixes("claude-sonnet-4-5"),
    ),
    ModelName("claude-3-7-sonnet", aliases=("claude-3.7-sonnet",)),
    ModelName("llama-4-scout", matches=(MatchRule("regex", r"llama-?4-scout.*"),)),
]
NAMES = ModelNames(FAMILIES)


@pytest.mark.parametrize(
    ("reported", "family"),
    [
        # The key or an alias, in any case.
        ("gpt-5-mini", "gpt-5-mini"),
        ("GPT-5-Mini", "gpt-5-mini"),
        (" claude-sonnet-4.5 ", "claude-sonnet-4-5"),
        ("anthropic/claude-4.5-sonnet-20250929", "claude-sonnet-4-5"),
        # In front: gateways, clouds, regions, resource names.
        ("openai/gpt-5-mini", "gpt-5-mini"),
        ("openrouter/openai/gpt-5-mini", "gpt-5-mini"),
        ("models/gemini-2.5-flash", "gemini-2.5-flash"),
        ("publishers/google/models/gemini-2.5-flash", "gemini-2.5-flash"),
        ("projects/p/locations/us/publishers/anthropic/models/claude-haiku-4-5@20251001", "claude-haiku-4-5"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        ("global.anthropic.claude-opus-4-6-v1", "claude-opus-4-6"),
        ("us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        (
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.anthropic.claude-haiku-4-5-20251001-v1:0",
            "claude-haiku-4-5",
        ),
        ("bedrock/apac.anthropic.claude-sonnet-4-20250514-v1:0:200k", "claude-sonnet-4"),
        ("openai.gpt-5.5", "gpt-5.5"),
        ("azure/gpt-4o-2024-08-06", "gpt-4o"),
        # Behind: dates, aliases for the newest, revisions, routes.
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4.1-mini-2025-04-14", "gpt-4.1-mini"),
        ("claude-sonnet-4-20250514", "claude-sonnet-4"),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
        ("claude-haiku-4-5@latest", "claude-haiku-4-5"),
        ("claude-3-7-sonnet-latest", "claude-3-7-sonnet"),
        ("anthropic/claude-3.7-sonnet:thinking", "claude-3-7-sonnet"),
        ("mistral-large-latest", "mistral-large"),
        ("gemini-2.5-pro-preview-05-06", "gemini-2.5-pro"),
        ("gemini-2.5-flash-preview-09-2025", "gemini-2.5-flash"),
        ("google/gemini-2.0-flash-exp:free", "gemini-2.0-flash"),
        ("gemini-2.0-flash-001", "gemini-2.0-flash"),
        ("gpt-oss-120b-1:0", "gpt-oss-120b"),
        # Only the rules know these.
        ("gpt-4o-acme", "gpt-4o"),
        ("gpt-5-chat-latest", "gpt-5"),
        ("llama-3.3-70b-versatile", "llama-3.3-70b"),
        ("gpt-4-0613", "gpt-4"),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", "llama-4-scout"),
        ("us.meta.llama4-scout-17b-instruct-v1:0", "llama-4-scout"),
    ],
)
def test_dressed_ids_find_their_family(reported: str, family: str) -> None:
    assert NAMES.resolve(reported) == family


@pytest.mark.parametrize(
    "reported",
    [
        # Another size or variant of a family that has a prefix rule, itself not in the catalogue.
        "gpt-4o-mini",
        "gpt-4o-mini-2024-07-18",
        "openai/gpt-4o-mini",
        "gpt-4.1-nano-2025-04-14",
        "gpt-5-nano",
        "gpt-5-pro-2025-10-06",
        "gpt-5.4-mini-2026-03-17",
        "gpt-5.6-sol",
        "openai.gpt-5.6-luna",
        "gpt-4o-audio-preview-2024-12-17",
        "gpt-4o-search-preview-2025-03-11",
        "gpt-4o-realtime-preview",
        "gpt-4o-transcribe",
        "o1-mini-2024-09-12",
        "o3-pro",
        "o4-mini-deep-research",
        "gemini-2.5-flash-lite",
        "models/gemini-2.5-flash-image-preview",
        "gemini-2.5-pro-preview-tts",
        "deepseek-v4-flash",
        # Another version.
        "gpt-5.2-2025-12-11",
        "gpt-5.1-codex-mini",
        "gpt-4.5-preview-2025-02-27",
        "claude-sonnet-4-6",
        "us.anthropic.claude-sonnet-4-6-v1",
        "claude-opus-4-7",
        "claude-haiku-4-5-1",
        # No boundary after the prefix, or the prefix in the middle.
        "gpt-4ox",
        "gpt-55",
        "my-gpt-4o",
        "o30",
        "chatgpt-4o-latest",
        # A fine-tune costs another price: it needs its own model, an alias or a pattern.
        "ft:gpt-4o-2024-08-06:acme::abc123",
        # Not a model at all.
        "",
        "   ",
        "/",
        "openai/",
        "-latest",
        "gpt",
        "x" * (LONGEST_ID + 1),
        "gpt-4o-" + "a" * LONGEST_ID,
    ],
)
def test_another_model_is_never_taken_for_a_family(reported: str) -> None:
    assert NAMES.resolve(reported) is None


def test_an_exact_name_beats_every_rule() -> None:
    names = ModelNames(
        [
            ModelName("cheap", matches=prefixes("gpt-4o-mini-2024-07-18", "gpt-4o")),
            ModelName("gpt-4o-mini"),
        ]
    )
    assert names.resolve("gpt-4o-mini") == "gpt-4o-mini"
    # Its suffix comes off before any rule is asked.
    assert names.resolve("gpt-4o-mini-2024-07-18") == "gpt-4o-mini"
    assert names.resolve("gpt-4o") == "cheap"


def test_the_longest_prefix_wins_whatever_the_order() -> None:
    rules = [ModelName("family", matches=prefixes("acme")), ModelName("sharper", matches=prefixes("acme-base"))]
    for families in (rules, rules[::-1]):
        names = ModelNames(families)
        assert names.resolve("acme-base-prod") == "sharper"
        assert names.resolve("acme-other") == "family"


def test_a_shorter_prefix_may_match_where_a_longer_one_is_another_model() -> None:
    names = ModelNames(
        [ModelName("turbo", matches=prefixes("acme-turbo")), ModelName("any", matches=(MatchRule("regex", "acme.*"),))]
    )
    assert names.resolve("acme-turbo-fast") == "any"


def test_a_prefix_that_ends_at_a_boundary_is_one() -> None:
    names = ModelNames([ModelName("tuned", matches=prefixes("ft:gpt-4o-mini-2024-07-18:acme:"))])
    assert names.resolve("ft:gpt-4o-mini-2024-07-18:acme::abc123") == "tuned"
    assert names.resolve("ft:gpt-4o-mini-2024-07-18:other::abc123") is None


def test_a_regex_matches_the_whole_id_and_comes_last() -> None:
    names = ModelNames(
        [
            ModelName("exact"),
            ModelName("by-prefix", matches=prefixes("acme")),
            ModelName("by-regex", matches=(MatchRule("regex", r"acme-\d+|exact|ACME-X"),)),
        ]
    )
    assert names.resolve("exact") == "exact"
    assert names.resolve("acme-123") == "by-prefix"
    assert names.resolve("acme-12") == "by-regex"
    assert names.resolve("acme-1234x") == "by-prefix"
    assert names.resolve("xacme-12") is None


def test_a_broken_regex_matches_nothing_and_stops_nobody() -> None:
    names = ModelNames([ModelName("broken", matches=(MatchRule("regex", "(("),)), ModelName("fine")])
    assert (names.resolve("(("), names.resolve("fine")) == (None, "fine")


def test_a_deployment_can_be_its_own_family_by_provider() -> None:
    names = ModelNames([ModelName("gpt-4o"), ModelName("gpt-4o-azure", aliases=("azure/gpt-4o",))])
    assert names.resolve("gpt-4o", "azure") == "gpt-4o-azure"
    assert names.resolve("gpt-4o", "openai") == "gpt-4o"
    assert names.resolve("gpt-4o") == "gpt-4o"
    assert names.resolve("azure/gpt-4o") == "gpt-4o-azure"


def test_a_key_is_never_another_familys_alias() -> None:
    names = ModelNames([ModelName("thief", aliases=("gpt-4o",)), ModelName("gpt-4o")])
    assert names.resolve("gpt-4o") == "gpt-4o"


def test_answers_are_remembered_within_a_bound() -> None:
    names = ModelNames([ModelName("gpt-4o")])
    for number in range(10_000):
        names.resolve(f"invented-{number}")
    assert names.resolve.cache_info().currsize <= 4096
    assert names.resolve("gpt-4o") == "gpt-4o"


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_text_is_answered(reported: str, provider: str) -> None:
    assert NAMES.resolve(reported, provider) in {None, *(family.key for family in FAMILIES)}


@given(st.sampled_from(["gpt-4o", "claude-sonnet-4", "o3"]), st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True))
def test_a_prefix_needs_a_boundary(prefix: str, rest: str) -> None:
    assert not same_model(prefix, rest)


# Every id of the recorded bodies. Those not named here must find no family in FAMILIES.
RECORDED = {
    "anthropic/claude-3.7-sonnet:thinking": "claude-3-7-sonnet",
    "anthropic/claude-4.5-sonnet-20250929": "claude-sonnet-4-5",
    "anthropic/claude-sonnet-4.5": "claude-sonnet-4-5",
    "claude-3-7-sonnet": "claude-3-7-sonnet",
    "claude-haiku-4-5-20251001": "claude-haiku-4-5",
    "claude-opus-4-6": "claude-opus-4-6",
    "claude-sonnet-4-20250514": "claude-sonnet-4",
    "claude-sonnet-4-5-20250929": "claude-sonnet-4-5",
    "claude-sonnet-5": "claude-sonnet-5",
    "gemini-2.5-pro-preview-05-06": "gemini-2.5-pro",
    "google/gemini-2.0-flash-exp:free": "gemini-2.0-flash",
    "google/gemini-2.5-flash": "gemini-2.5-flash",
    "gpt-4.1-2025-04-14": "gpt-4.1",
    "gpt-4.1-mini": "gpt-4.1-mini",
    "gpt-4.1-mini-2025-04-14": "gpt-4.1-mini",
    "gpt-4o-2024-08-06": "gpt-4o",
    "gpt-4o-2024-11-20": "gpt-4o",
    "gpt-5": "gpt-5",
    "gpt-5-2025-08-07": "gpt-5",
    "gpt-5-mini-2025-08-07": "gpt-5-mini",
    "gpt-5.4": "gpt-5.4",
    "gpt-5.4-2026-03-05": "gpt-5.4",
    "gpt-5.5": "gpt-5.5",
    "gpt-5.5-2026-04-23": "gpt-5.5",
    "gpt-oss-120b": "gpt-oss-120b",
    "llama-3.3-70b": "llama-3.3-70b",
    "llama-3.3-70b-versatile": "llama-3.3-70b",
    "meta-llama/Llama-4-Scout-17B-16E-Instruct": "llama-4-scout",
    "meta-llama/llama-4-scout-17b-16e-instruct": "llama-4-scout",
    "mistral-large-latest": "mistral-large",
    "o3-2025-04-16": "o3",
    "o3-mini-2025-01-31": "o3-mini",
    "o4-mini-2025-04-16": "o4-mini",
    "openai.gpt-5.5": "gpt-5.5",
    "openai.gpt-oss-120b": "gpt-oss-120b",
    "openai/gpt-4.1-mini": "gpt-4.1-mini",
    "openai/gpt-5-mini": "gpt-5-mini",
    "openai/gpt-5-mini-2025-08-07": "gpt-5-mini",
    "openai/gpt-oss-120b": "gpt-oss-120b",
}


@pytest.mark.skipif(not REAL_USAGES.exists(), reason="the recorded bodies are not beside this repository")
def test_every_recorded_id_finds_its_family_or_none() -> None:
    with REAL_USAGES.open() as lines:
        recorded = {model for line in lines if (model := json.loads(line).get("model"))}
    assert len(recorded) > 80
    assert {model: NAMES.resolve(model) for model in recorded if NAMES.resolve(model)} == RECORDED
