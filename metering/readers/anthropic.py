"""Anthropic Messages: input_tokens excludes cache reads and writes. Shapes: anthropic SDK types/usage.py.

cache_creation breaks cache_creation_input_tokens down by lifetime, and without it all writes live
five minutes. output_tokens includes thinking. A stream's message_delta is cumulative: the last one
is read, never a sum; old ones carry output only.

`iterations` lists the samplings behind one response. The top-level counts leave out compaction
(https://platform.claude.com/docs/en/build-with-claude/compaction, read 2026-11-23: "to calculate
total tokens consumed and billed, sum across all entries"; recorded: 188 tokens on top, 55,278 more in the
compaction), so it is added here. An advisor's iterations name their own model and are billed at its
rates: they become inner readings.
"""

from collections.abc import Iterable

from kernel.usage import Usage
from metering.readers.envelope import Envelope
from metering.readers.fields import Fields
from metering.readers.reading import Reading, UnreadableUsage, checked, processing_mode

FORMAT = "anthropic.messages"
PROVIDER = "anthropic"


def read(envelope: Envelope) -> Reading:
    """Read a message or a stream's last message_delta. Raises UnreadableUsage."""
    usage = envelope.usage
    model = envelope.body.text("model")
    tier = processing_mode(usage.text("service_tier"))
    mode = "fast" if usage.text("speed") == "fast" and tier != "batch" else tier
    geo = usage.text("inference_geo")
    region = None if geo == "not_available" else geo
    iterations = usage.objects("iterations")
    return Reading(
        format=FORMAT,
        usage=checked(_own(usage, iterations, model), usage.path),
        model=model,
        provider=PROVIDER,
        processing=mode,
        region=region,
        inner=tuple(
            Reading(
                format=FORMAT,
                usage=checked(_sum([_counts(iteration)]), iteration.path),
                model=iteration.text("model"),
                provider=PROVIDER,
                processing=mode,
                region=region,
            )
            for iteration in iterations
            if not _ours(iteration, model)
        ),
    )


def _own(usage: Fields, iterations: list[Fields], model: str | None) -> Usage:
    compactions = [_counts(one) for one in iterations if one.text("type") == "compaction" and _ours(one, model)]
    searches = usage.object("server_tool_use").count("web_search_requests")
    return _sum([_counts(usage), *compactions], web_searches=searches)


def _ours(iteration: Fields, model: str | None) -> bool:
    return iteration.text("model") in (None, model)


def _counts(usage: Fields) -> dict[str, int]:
    written, read_back = usage.count("cache_creation_input_tokens"), usage.count("cache_read_input_tokens")
    creation = usage.object("cache_creation")
    hour, minutes = creation.count("ephemeral_1h_input_tokens"), creation.count("ephemeral_5m_input_tokens")
    if "cache_creation_input_tokens" not in usage:
        written = hour + minutes
    if hour + minutes > written:
        raise UnreadableUsage(creation.path, f"breaks down {hour + minutes} tokens of the {written} written")
    return {
        "input_tokens": usage.count("input_tokens") + written + read_back,
        "cache_read_tokens": read_back,
        "cache_write_5m_tokens": written - hour,
        "cache_write_1h_tokens": hour,
        "output_tokens": usage.count("output_tokens"),
        "reasoning_tokens": usage.object("output_tokens_details").count("thinking_tokens"),
    }


def _sum(parts: Iterable[dict[str, int]], *, web_searches: int = 0) -> Usage:
    totals: dict[str, int] = {}
    for part in parts:
        for name, count in part.items():
            totals[name] = totals.get(name, 0) + count
    return Usage(web_searches=web_searches, **totals)
