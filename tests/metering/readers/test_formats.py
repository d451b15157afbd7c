"""Each provider's counting rules, on bodies small enough to add up by hand."""

from typing import Any, NamedTuple

import pytest

from kernel.usage import Usage
from metering.readers import Reading, read


class Body(NamedTuple):
    story: str
    body: dict[str, Any]
    format: str
    usage: Usage
    said: dict[str, Any] = {}


BODIES = [
    Body(
        "openai chat: cached, written and audio tokens are parts of the prompt",
        {
            "model": "gpt-5.6-sol",
            "service_tier": "flex",
            "usage": {
                "prompt_tokens": 1000,
                "completion_tokens": 300,
                "total_tokens": 1300,
                "prompt_tokens_details": {"cached_tokens": 400, "cache_write_tokens": 100, "audio_tokens": 50},
                "completion_tokens_details": {"reasoning_tokens": 200, "audio_tokens": 30},
            },
        },
        "openai.chat",
        Usage(
            input_tokens=1000,
            cache_read_tokens=400,
            cache_write_5m_tokens=100,
            input_audio_tokens=50,
            output_tokens=300,
            reasoning_tokens=200,
            output_audio_tokens=30,
        ),
        {"model": "gpt-5.6-sol", "processing": "flex", "provider": None},
    ),
    Body(
        "openai chat: details may be null, and the default tier is standard",
        {
            "service_tier": "default",
            "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21, "prompt_tokens_details": None},
        },
        "openai.chat",
        Usage(input_tokens=9, output_tokens=12),
        {"processing": "standard"},
    ),
    Body(
        "gemini's openai endpoint leaves thoughts out of the completion: the total is the larger truth",
        {"model": "gemini-2.5-pro", "usage": {"completion_tokens": 12, "prompt_tokens": 35, "total_tokens": 109}},
        "openai.chat",
        Usage(input_tokens=35, output_tokens=74),
    ),
    Body(
        "xai leaves reasoning out of the completion",
        {
            "model": "grok-4",
            "usage": {
                "prompt_tokens": 32,
                "completion_tokens": 9,
                "total_tokens": 135,
                "completion_tokens_details": {"reasoning_tokens": 94},
            },
        },
        "openai.chat",
        Usage(input_tokens=32, output_tokens=103, reasoning_tokens=94),
    ),
    Body(
        "cached audio that cannot all be text is audio",
        {
            "usage": {
                "prompt_tokens": 100,
                "completion_tokens": 1,
                "prompt_tokens_details": {"cached_tokens": 50, "audio_tokens": 90},
            }
        },
        "openai.chat",
        Usage(
            input_tokens=100,
            cache_read_tokens=50,
            input_audio_tokens=90,
            cache_read_audio_tokens=40,
            output_tokens=1,
        ),
    ),
    Body(
        "openai responses, from the event that ends a stream; searches are output items",
        {
            "type": "response.completed",
            "response": {
                "object": "response",
                "model": "gpt-5-2025-08-07",
                "service_tier": "priority",
                "output": [
                    {"type": "web_search_call", "action": {"type": "search"}},
                    {"type": "web_search_call", "action": {"type": "open_page"}},
                    {"type": "message"},
                ],
                "usage": {
                    "input_tokens": 20,
                    "input_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 10},
                    "output_tokens": 15,
                    "output_tokens_details": {"reasoning_tokens": 9},
                    "total_tokens": 35,
                },
            },
        },
        "openai.responses",
        Usage(
            input_tokens=20,
            cache_read_tokens=8,
            cache_write_5m_tokens=10,
            output_tokens=15,
            reasoning_tokens=9,
            web_searches=1,
        ),
        {"model": "gpt-5-2025-08-07", "processing": "priority"},
    ),
    Body(
        "openai realtime tells cached audio from cached text",
        {
            "type": "response.done",
            "response": {
                "usage": {
                    "total_tokens": 150,
                    "input_tokens": 100,
                    "output_tokens": 50,
                    "input_token_details": {
                        "cached_tokens": 60,
                        "text_tokens": 30,
                        "audio_tokens": 70,
                        "cached_tokens_details": {"text_tokens": 20, "audio_tokens": 40},
                    },
                    "output_token_details": {"text_tokens": 10, "audio_tokens": 40},
                }
            },
        },
        "openai.responses",
        Usage(
            input_tokens=100,
            cache_read_tokens=60,
            input_audio_tokens=70,
            cache_read_audio_tokens=40,
            output_tokens=50,
            output_audio_tokens=40,
        ),
    ),
    Body(
        "openai images",
        {
            "usage": {
                "input_tokens": 50,
                "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
                "output_tokens": 1056,
                "total_tokens": 1106,
            }
        },
        "openai.responses",
        Usage(input_tokens=50, input_image_tokens=40, output_tokens=1056),
    ),
    Body(
        "openai embeddings have no output",
        {"object": "list", "model": "text-embedding-3-small", "usage": {"prompt_tokens": 4, "total_tokens": 4}},
        "openai.embeddings",
        Usage(input_tokens=4),
    ),
    Body(
        "openai transcription by time",
        {"usage": {"type": "duration", "seconds": 8.4704}},
        "openai.audio",
        Usage(audio_milliseconds=8470),
    ),
    Body(
        "anthropic: input excludes the cache, and the lifetimes break the writes down",
        {
            "type": "message",
            "model": "claude-sonnet-4-5-20250929",
            "usage": {
                "input_tokens": 2048,
                "cache_read_input_tokens": 1800,
                "cache_creation_input_tokens": 248,
                "cache_creation": {"ephemeral_5m_input_tokens": 148, "ephemeral_1h_input_tokens": 100},
                "output_tokens": 503,
                "output_tokens_details": {"thinking_tokens": 33},
                "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
                "service_tier": "batch",
                "inference_geo": "us",
            },
        },
        "anthropic.messages",
        Usage(
            input_tokens=4096,
            cache_read_tokens=1800,
            cache_write_5m_tokens=148,
            cache_write_1h_tokens=100,
            output_tokens=503,
            reasoning_tokens=33,
            web_searches=2,
        ),
        {"processing": "batch", "region": "us", "provider": "anthropic"},
    ),
    Body(
        "anthropic: writes without lifetimes live five minutes, and no geography is no region",
        {
            "usage": {
                "input_tokens": 3,
                "cache_creation_input_tokens": 200,
                "cache_read_input_tokens": 0,
                "output_tokens": 5,
                "speed": "fast",
                "inference_geo": "not_available",
            }
        },
        "anthropic.messages",
        Usage(input_tokens=203, cache_write_5m_tokens=200, output_tokens=5),
        {"processing": "fast", "region": None},
    ),
    Body(
        "anthropic: a stream's last delta is cumulative",
        {
            "type": "message_delta",
            "usage": {
                "output_tokens": 503,
                "input_tokens": 2048,
                "cache_creation_input_tokens": 248,
                "cache_read_input_tokens": 1800,
            },
        },
        "anthropic.messages",
        Usage(input_tokens=4096, cache_read_tokens=1800, cache_write_5m_tokens=248, output_tokens=503),
    ),
    Body(
        "anthropic: an old delta knows its output only",
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 15}},
        "anthropic.messages",
        Usage(output_tokens=15),
    ),
    Body(
        "anthropic: compaction is billed and not in the top-level counts",
        {
            "model": "claude-sonnet-4-6",
            "usage": {
                "input_tokens": 180,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": 8,
                "iterations": [
                    {
                        "type": "compaction",
                        "input_tokens": 100,
                        "cache_creation_input_tokens": 55_096,
                        "cache_creation": {"ephemeral_5m_input_tokens": 55_096},
                        "output_tokens": 82,
                    },
                    {"type": "message", "input_tokens": 180, "output_tokens": 8},
                ],
            },
        },
        "anthropic.messages",
        Usage(input_tokens=55_376, cache_write_5m_tokens=55_096, output_tokens=90),
    ),
    Body(
        "gemini: thoughts are output, tool prompts are input, and a modality list may leave text out",
        {
            "modelVersion": "gemini-2.5-pro",
            "usageMetadata": {
                "promptTokenCount": 1000,
                "cachedContentTokenCount": 300,
                "candidatesTokenCount": 200,
                "thoughtsTokenCount": 50,
                "toolUsePromptTokenCount": 119,
                "totalTokenCount": 1369,
                "promptTokensDetails": [
                    {"modality": "AUDIO", "tokenCount": 400},
                    {"modality": "DOCUMENT", "tokenCount": 258},
                ],
                "cacheTokensDetails": [
                    {"modality": "AUDIO", "tokenCount": 100},
                    {"modality": "TEXT", "tokenCount": 200},
                ],
                "trafficType": "ON_DEMAND",
            },
        },
        "gemini.generate_content",
        Usage(
            input_tokens=1119,
            cache_read_tokens=300,
            input_audio_tokens=400,
            cache_read_audio_tokens=100,
            input_image_tokens=258,
            output_tokens=250,
            reasoning_tokens=50,
        ),
        {"model": "gemini-2.5-pro", "processing": "standard", "provider": "google"},
    ),
    Body(
        "gemini in the SDK's snake_case, with an empty answer and cached video",
        {
            "model_version": "gemini-3-flash-preview",
            "usage_metadata": {
                "prompt_token_count": 105,
                "cached_content_token_count": 100,
                "candidates_token_count": None,
                "thoughts_token_count": 2,
                "total_token_count": 107,
                "prompt_tokens_details": [{"modality": "VIDEO", "token_count": 100}],
                "cache_tokens_details": [{"modality": "VIDEO", "token_count": 100}],
            },
        },
        "gemini.generate_content",
        Usage(input_tokens=105, cache_read_tokens=100, output_tokens=2, reasoning_tokens=2),
        {"model": "gemini-3-flash-preview"},
    ),
    Body(
        "gemini images",
        {
            "usageMetadata": {
                "promptTokenCount": 10,
                "candidatesTokenCount": 1304,
                "totalTokenCount": 1314,
                "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}],
            }
        },
        "gemini.generate_content",
        Usage(input_tokens=10, output_tokens=1304, output_image_tokens=1290),
    ),
    Body(
        "bedrock: input excludes the cache, duplicates are not added, lifetimes break the writes down",
        {
            "modelId": "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "serviceTier": {"type": "priority"},
            "usage": {
                "inputTokens": 1200,
                "outputTokens": 800,
                "totalTokens": 10000,
                "cacheReadInputTokens": 5000,
                "cacheReadInputTokenCount": 5000,
                "cacheWriteInputTokens": 3000,
                "cacheDetails": [{"ttl": "1h", "inputTokens": 1000}, {"ttl": "5m", "inputTokens": 2000}],
            },
        },
        "bedrock.converse",
        Usage(
            input_tokens=9200,
            cache_read_tokens=5000,
            cache_write_5m_tokens=2000,
            cache_write_1h_tokens=1000,
            output_tokens=800,
        ),
        {
            "model": "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "provider": "aws",
            "processing": "priority",
        },
    ),
    Body(
        "bedrock: a stream's metadata event",
        {"metadata": {"usage": {"inputTokens": 7, "outputTokens": 78, "totalTokens": 85}, "metrics": {"latencyMs": 9}}},
        "bedrock.converse",
        Usage(input_tokens=7, output_tokens=78),
    ),
    Body(
        "cohere bills its billed units, typed as floats, not its tokens",
        {
            "usage": {
                "billed_units": {"input_tokens": 12.0, "output_tokens": 250.0},
                "tokens": {"input_tokens": 478.0, "output_tokens": 257.0},
                "cached_tokens": 400.0,
            }
        },
        "cohere",
        Usage(input_tokens=12, output_tokens=250),
        {"provider": "cohere"},
    ),
    Body(
        "cohere reranks by the search",
        {"id": "r1", "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}},
        "cohere",
        Usage(rerank_searches=1),
    ),
    Body(
        "mistral caches beside the prompt, and hears by the second",
        {
            "model": "voxtral-small-latest",
            "usage": {
                "completion_tokens": 12,
                "num_cached_tokens": 69,
                "prompt_tokens": 70,
                "total_tokens": 82,
                "prompt_tokens_details": {"cached_tokens": 69},
                "prompt_audio_seconds": 3,
                "service_tier": "default",
            },
        },
        "mistral",
        Usage(input_tokens=70, cache_read_tokens=69, output_tokens=12, audio_milliseconds=3000),
        {"provider": "mistral", "processing": "standard"},
    ),
    Body(
        "mistral reads pages",
        {"model": "mistral-ocr-2512", "usage_info": {"pages_processed": 7, "doc_size_bytes": 123456}},
        "mistral",
        Usage(document_pages=7),
    ),
    Body(
        "deepseek: hits and misses make up the prompt",
        {
            "model": "deepseek-v4-flash",
            "usage": {
                "prompt_tokens": 563,
                "prompt_cache_hit_tokens": 512,
                "prompt_cache_miss_tokens": 51,
                "prompt_tokens_details": {"cached_tokens": 512},
                "completion_tokens": 116,
                "completion_tokens_details": {"reasoning_tokens": 60},
                "total_tokens": 679,
            },
        },
        "deepseek",
        Usage(input_tokens=563, cache_read_tokens=512, output_tokens=116, reasoning_tokens=60),
        {"provider": "deepseek"},
    ),
    Body(
        "groq: timings are not billed; a stream's last chunk",
        {
            "x_groq": {
                "usage": {
                    "queue_time": 0.28,
                    "prompt_tokens": 779,
                    "prompt_time": 0.02,
                    "completion_tokens": 65,
                    "completion_time": 0.14,
                    "total_tokens": 844,
                    "total_time": 0.16,
                }
            }
        },
        "groq",
        Usage(input_tokens=779, output_tokens=65),
        {"provider": "groq"},
    ),
    Body(
        "openrouter: what was charged, its float noise rounded away",
        {
            "model": "openai/gpt-4o-mini",
            "usage": {"prompt_tokens": 9, "completion_tokens": 69, "total_tokens": 78, "cost": 4.1400000000000003e-05},
        },
        "openrouter",
        Usage(input_tokens=9, output_tokens=69),
        {"reported_cost_nanousd": 41_400, "provider": "openrouter"},
    ),
    Body(
        "openrouter with our own key: its fee and what the upstream bills us",
        {
            "usage": {
                "input_tokens": 20,
                "output_tokens": 5,
                "total_tokens": 25,
                "is_byok": True,
                "cost": 0.000005,
                "cost_details": {"upstream_inference_cost": 0.0001},
            }
        },
        "openrouter",
        Usage(input_tokens=20, output_tokens=5),
        {"reported_cost_nanousd": 105_000},
    ),
    Body(
        "our own words",
        {"model": "acme-1", "usage": {"input_tokens": 1000, "cache_read_tokens": 800, "output_tokens": 100}},
        "neutral",
        Usage(input_tokens=1000, cache_read_tokens=800, output_tokens=100),
        {"model": "acme-1"},
    ),
    Body(
        "input and output alone mean the same to everyone",
        {"input_tokens": 10, "output_tokens": 5},
        "neutral",
        Usage(input_tokens=10, output_tokens=5),
    ),
]


@pytest.mark.parametrize("case", BODIES, ids=lambda case: case.story)
def test_reading(case: Body) -> None:
    reading = read(case.body)
    assert (reading.format, reading.usage) == (case.format, case.usage)
    assert {name: getattr(reading, name) for name in case.said} == case.said
    assert read(case.body, case.format) == reading


def test_an_advisor_is_read_at_its_own_model() -> None:
    body = {
        "model": "claude-sonnet-5",
        "usage": {
            "input_tokens": 2390,
            "cache_read_input_tokens": 0,
            "output_tokens": 121,
            "service_tier": "standard",
            "inference_geo": "us",
            "iterations": [
                {"type": "message", "input_tokens": 2390, "output_tokens": 121},
                {"type": "advisor_message", "model": "claude-opus-4-8", "input_tokens": 2518, "output_tokens": 22},
            ],
        },
    }
    reading = read(body)
    assert reading.usage == Usage(input_tokens=2390, output_tokens=121)
    assert reading.inner == (
        Reading(
            format="anthropic.messages",
            usage=Usage(input_tokens=2518, output_tokens=22),
            model="claude-opus-4-8",
            provider="anthropic",
            processing="standard",
            region="us",
        ),
    )


def test_unknown_members_are_ignored() -> None:
    plain = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
    assert read({"usage": plain | {"novelty": {"a": [1, "x"]}, "sparkle": "yes"}}).usage == read({"usage": plain}).usage
