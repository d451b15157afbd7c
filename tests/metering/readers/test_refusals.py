"""What is refused, and that the refusal names the value at fault."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.usage import check
from metering.readers import FORMATS, UnreadableUsage, read


def chat(**counts: Any) -> dict[str, Any]:
    return {"usage": {"prompt_tokens": 10, "completion_tokens": 5, **counts}}


REFUSED: list[tuple[str, Any, str, str]] = [
    ("a string", chat(prompt_tokens="10"), "usage.prompt_tokens", "is not a whole number"),
    ("a fraction", chat(completion_tokens=1.5), "usage.completion_tokens", "is not a whole number"),
    ("true", chat(prompt_tokens=True), "usage.prompt_tokens", "is not a whole number"),
    ("nan", chat(prompt_tokens=math.nan), "usage.prompt_tokens", "is not a whole number"),
    ("infinity", chat(prompt_tokens=math.inf), "usage.prompt_tokens", "is not a whole number"),
    ("a negative count", chat(prompt_tokens=-1), "usage.prompt_tokens", "is not between 0 and"),
    ("a huge count", chat(prompt_tokens=10**40), "usage.prompt_tokens", "is not between 0 and"),
    ("a number too long to print", chat(prompt_tokens=10**5000), "usage.prompt_tokens", "is not between 0 and"),
    ("a cost too long to print", chat(cost=10**5000), "usage.cost", "could have been charged"),
    ("a list of details", chat(prompt_tokens_details=[1]), "usage.prompt_tokens_details", "is not an object"),
    (
        "a bad detail",
        chat(prompt_tokens_details={"cached_tokens": {}}),
        "usage.prompt_tokens_details.cached_tokens",
        "is not a whole number",
    ),
    ("more cached than sent", chat(prompt_tokens_details={"cached_tokens": 11}), "usage", "smaller than the parts"),
    (
        "more reasoning than output",
        chat(total_tokens=15, completion_tokens_details={"reasoning_tokens": 6}),
        "usage",
        "smaller than the parts",
    ),
    ("a total below its parts", chat(total_tokens=14), "usage.total_tokens", "is less than the 15"),
    (
        "the same count twice, differently",
        chat(prompt_tokens_details={"cached_tokens": 4}, cached_tokens=5),
        "usage.prompt_tokens_details.cached_tokens",
        "is reported twice and differs",
    ),
    ("a model that is no string", {**chat(), "model": 7}, "model", "is not a string"),
    ("a cost that is no number", chat(cost_details={}, cost="0.1"), "usage.cost", "is not an amount of dollars"),
    ("a negative cost", chat(cost=-0.1), "usage.cost", "could have been charged"),
    ("a cost of nan", chat(cost=math.nan), "usage.cost", "could have been charged"),
    (
        "embeddings whose total is not their input",
        {"usage": {"prompt_tokens": 4, "total_tokens": 5}},
        "usage.total_tokens",
        "differs from the 4",
    ),
    (
        "deepseek's misses do not fit",
        {"usage": {"prompt_tokens": 9, "prompt_cache_hit_tokens": 5, "prompt_cache_miss_tokens": 5}},
        "usage.prompt_tokens",
        "differs from 5 cache hits and 5 misses",
    ),
    (
        "bedrock's total is not its parts",
        {"usage": {"inputTokens": 5, "outputTokens": 5, "totalTokens": 11}},
        "usage.totalTokens",
        "is not the 10",
    ),
    (
        "bedrock breaks down more than was written",
        {"usage": {"inputTokens": 5, "outputTokens": 5, "cacheDetails": [{"ttl": "1h", "inputTokens": 1}]}},
        "usage.cacheDetails",
        "more than the 0",
    ),
    (
        "anthropic breaks down more than was written",
        {
            "usage": {
                "input_tokens": 5,
                "output_tokens": 5,
                "cache_creation_input_tokens": 1,
                "cache_creation": {"ephemeral_5m_input_tokens": 2},
            }
        },
        "usage.cache_creation",
        "breaks down 2",
    ),
    (
        "gemini's total is below its parts",
        {"usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 5, "totalTokenCount": 9}},
        "usageMetadata.totalTokenCount",
        "is less than the 10",
    ),
    ("cohere without billed units", {"usage": {"billed_units": {}}}, "usage.billed_units", "is missing"),
    ("our words with a typing mistake", {"input_tokens": 1, "cache_raed_tokens": 1}, "", "is in no form we know"),
    (
        "our words with a stranger among them",
        {"usage": {"input_tokens": 9, "cache_read_tokens": 1, "sparkle": 1}},
        "usage.sparkle",
        "is not one of",
    ),
    ("nothing", {}, "", "is in no form we know"),
    ("an empty usage", {"usage": {}}, "usage", "last event"),
    ("usage that is a list", {"usage": [1]}, "usage", "is not an object"),
    (
        "two usages",
        {"usage": {"prompt_tokens": 1}, "usageMetadata": {"promptTokenCount": 1}},
        "usageMetadata",
        "more than one",
    ),
    (
        "the beginning of a stream",
        {"type": "message_start", "message": {"usage": {"input_tokens": 5, "output_tokens": 1}}},
        "type",
        "message_start only begins",
    ),
    (
        "inclusive or exclusive, who knows",
        {"usage": {"input_tokens": 9, "cache_read_input_tokens": 4, "output_tokens": 1, "total_tokens": 10}},
        "usage",
        "could be openai.responses or anthropic.messages",
    ),
]


@pytest.mark.parametrize(("body", "field", "reason"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_refusal(body: dict[str, Any], field: str, reason: str) -> None:
    with pytest.raises(UnreadableUsage) as refusal:
        read(body)
    assert (refusal.value.field, reason in refusal.value.reason) == (field, True), refusal.value.reason


def test_an_ambiguous_body_reads_once_its_format_is_named() -> None:
    body = {"usage": {"input_tokens": 9, "cache_read_input_tokens": 4, "output_tokens": 1, "total_tokens": 10}}
    assert read(body, "openai.responses").usage.input_tokens == 9
    assert read(body, "anthropic.messages").usage.input_tokens == 13


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnreadableUsage) as refusal:
        read(chat(), "openai")
    assert refusal.value.field == "format"
    assert all(name in refusal.value.reason for name in FORMATS)


def test_a_body_that_is_no_object_is_refused() -> None:
    with pytest.raises(UnreadableUsage):
        read([1, 2])  # type: ignore[arg-type]


WORDS = st.sampled_from(
    [
        "usage",
        "usageMetadata",
        "usage_info",
        "meta",
        "response",
        "metadata",
        "x_groq",
        "model",
        "type",
        "message",
        "object",
        "billed_units",
        "iterations",
        "input_tokens",
        "output_tokens",
        "total_tokens",
        "prompt_tokens",
        "completion_tokens",
        "prompt_tokens_details",
        "cached_tokens",
        "cost",
        "is_byok",
        "cost_details",
        "cache_creation",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "inputTokens",
        "outputTokens",
        "cacheDetails",
        "ttl",
        "totalTokens",
        "promptTokenCount",
        "promptTokensDetails",
        "modality",
        "tokenCount",
        "totalTokenCount",
        "seconds",
        "num_cached_tokens",
        "prompt_cache_hit_tokens",
        "queue_time",
        "service_tier",
        "speed",
        "inference_geo",
        "search_units",
    ]
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 2**40), st.floats(), st.sampled_from(["", "TEXT", "1h", "message", "us"])
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=6), max_leaves=25
)


@given(body=st.dictionaries(WORDS, JSON, max_size=6), named=st.sampled_from([None, *FORMATS]))
def test_whatever_is_sent_is_read_consistently_or_refused(body: dict[str, Any], named: str | None) -> None:
    try:
        reading = read(body, named)
    except UnreadableUsage:
        return
    for one in (reading, *reading.inner):
        check(one.usage)
