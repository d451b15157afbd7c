"""Bedrock Converse: inputTokens excludes cache reads and writes. Shapes: botocore bedrock-runtime TokenUsage.

totalTokens is the sum of all four. cacheDetails breaks cacheWriteInputTokens down by lifetime; the
…TokenCount spellings on the wire repeat their neighbours. The response names no model: the caller
does, and the inference profile in it (us., eu., global.) is the region that prices.
"""

from kernel.usage import Usage
from metering.readers.envelope import Envelope
from metering.readers.fields import Fields, agreed
from metering.readers.reading import Reading, UnreadableUsage, checked, processing_mode

FORMAT = "bedrock.converse"


def read(envelope: Envelope) -> Reading:
    """Read a Converse response, or the metadata event of a stream. Raises UnreadableUsage."""
    usage = envelope.usage
    fresh, output_tokens = usage.count("inputTokens"), usage.count("outputTokens")
    cached = agreed((usage, ("cacheReadInputTokens", "cacheReadInputTokenCount")))
    written = agreed((usage, ("cacheWriteInputTokens", "cacheWriteInputTokenCount")))
    _check_total(usage, fresh + output_tokens, cached + written)
    hour = _written_for_an_hour(usage, written)
    model = envelope.body.text("modelId")
    tier = envelope.body.object("serviceTier").text("type")
    optimized = envelope.body.object("performanceConfig").text("latency") == "optimized"
    return Reading(
        format=FORMAT,
        usage=checked(
            Usage(
                input_tokens=fresh + cached + written,
                cache_read_tokens=cached,
                cache_write_5m_tokens=written - hour,
                cache_write_1h_tokens=hour,
                output_tokens=output_tokens,
            ),
            usage.path,
        ),
        model=model,
        provider="aws",
        processing="fast" if optimized else processing_mode(tier),
    )


def _check_total(usage: Fields, fresh: int, cache: int) -> None:
    total = usage.count("totalTokens")
    # Some models' totals leave the cache out. The parts are the larger figure, and are what is read.
    if total and total not in (fresh + cache, fresh):
        raise UnreadableUsage(usage.at("totalTokens"), f"{total} is not the {fresh + cache} its parts add up to")


def _written_for_an_hour(usage: Fields, written: int) -> int:
    details = usage.objects("cacheDetails")
    if sum(detail.count("inputTokens") for detail in details) > written:
        raise UnreadableUsage(usage.at("cacheDetails"), f"break down more than the {written} tokens written")
    return sum(detail.count("inputTokens") for detail in details if detail.text("ttl") == "1h")
