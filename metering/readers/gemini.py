"""Gemini generateContent, in camelCase (the wire) or snake_case (the Python SDK). google-genai types.

promptTokenCount includes cached tokens and excludes tool-use prompts; candidatesTokenCount excludes
thoughts, and may be absent (empty or all-thinking output); the total is the sum of the four
(440 of 451 recorded bodies; the rest are embeddings, which report none). The …Details arrays split
each by modality and may leave text out. Streamed chunks are cumulative: the last one is read.
"""

import re
from collections import Counter
from functools import cache

from kernel.usage import Usage
from metering.readers.envelope import Envelope
from metering.readers.fields import Fields, agreed
from metering.readers.reading import Reading, checked, processing_mode
from metering.readers.totals import hidden_output

FORMAT = "gemini.generate_content"

COUNTS = (
    "promptTokenCount",
    "candidatesTokenCount",
    "responseTokenCount",
    "cachedContentTokenCount",
    "toolUsePromptTokenCount",
    "thoughtsTokenCount",
    "totalTokenCount",
)

PICTURES = ("IMAGE", "DOCUMENT")
"""A document's pages are counted and billed as images (https://ai.google.dev/gemini-api/docs/document-processing)."""


def read(envelope: Envelope) -> Reading:
    """Read a response or a stream's last chunk. Raises UnreadableUsage."""
    usage, body = envelope.usage, envelope.body
    prompt, tool = _count(usage, "promptTokenCount"), _count(usage, "toolUsePromptTokenCount")
    candidates = _count(usage, "candidatesTokenCount") or _count(usage, "responseTokenCount")
    thoughts = _count(usage, "thoughtsTokenCount")
    total = "totalTokenCount" if "totalTokenCount" in usage else "total_token_count"
    hidden = hidden_output(usage, total, parts=prompt + tool + candidates + thoughts)
    # Embeddings spell it promptTokenDetails.
    read_in = _modalities(usage, "promptTokensDetails", "promptTokenDetails")
    read_in += _modalities(usage, "toolUsePromptTokensDetails")
    cached = _modalities(usage, "cacheTokensDetails")
    made = _modalities(usage, "candidatesTokensDetails", "responseTokensDetails")
    tier = (
        usage.text("serviceTier") or usage.text("service_tier")
        or usage.text("trafficType") or usage.text("traffic_type")
    )  # fmt: skip
    return Reading(
        format=FORMAT,
        usage=checked(
            Usage(
                input_tokens=prompt + tool,
                cache_read_tokens=_count(usage, "cachedContentTokenCount"),
                input_audio_tokens=read_in["AUDIO"],
                cache_read_audio_tokens=cached["AUDIO"],
                input_image_tokens=sum(read_in[picture] for picture in PICTURES),
                cache_read_image_tokens=sum(cached[picture] for picture in PICTURES),
                # No model has a rate for cached video: those tokens stay at the cached rate of text.
                input_video_tokens=max(0, read_in["VIDEO"] - cached["VIDEO"]),
                output_tokens=candidates + thoughts + hidden,
                reasoning_tokens=thoughts,
                output_audio_tokens=made["AUDIO"],
                output_image_tokens=sum(made[picture] for picture in PICTURES),
            ),
            usage.path,
        ),
        model=body.text("modelVersion") or body.text("model_version") or body.text("model"),
        provider="google",
        processing=processing_mode(tier),
    )


@cache
def snake(name: str) -> str:
    """promptTokenCount as prompt_token_count."""
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


def _count(usage: Fields, name: str) -> int:
    return agreed((usage, (name, snake(name))))


def _modalities(usage: Fields, *names: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for detail in usage.objects(*names, *(snake(name) for name in names)):
        modality = detail.text("modality") or "TEXT"
        counts[modality.upper()] += agreed((detail, ("tokenCount", "token_count")))
    return counts
