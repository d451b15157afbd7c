"""OpenAI Responses, Images, Realtime and token-billed transcription: input_tokens and output_tokens, inclusive.

Counting rules: OpenAI SDK types/responses/response_usage.py, images_response.py,
realtime/realtime_response_usage.py. Responses write input_tokens_details, the audio endpoints
input_token_details; the parts are subsets of the totals.
"""

from kernel.units import NanoUsd
from kernel.usage import Usage
from metering.readers.envelope import Envelope
from metering.readers.fields import Fields
from metering.readers.reading import Reading, checked, processing_mode
from metering.readers.totals import Cached, cached_modalities, hidden_output

FORMAT = "openai.responses"


def read(envelope: Envelope) -> Reading:
    """Read a Responses-shaped body. The provider is left open: the shape does not prove it."""
    return responses_reading(envelope, FORMAT, provider=None)


def responses_reading(
    envelope: Envelope, format_name: str, *, provider: str | None, reported_cost_nanousd: NanoUsd | None = None
) -> Reading:
    """What every dialect shares. Raises UnreadableUsage."""
    usage = envelope.usage
    details = usage.object("input_tokens_details", "input_token_details")
    made = usage.object("output_tokens_details", "output_token_details")
    input_tokens, output_tokens = usage.count("input_tokens"), usage.count("output_tokens")
    cached, written = details.count("cached_tokens"), details.count("cache_write_tokens")
    audio, image = details.count("audio_tokens"), details.count("image_tokens")
    cached_part = _cached(details, total=input_tokens, cached=cached, written=written, audio=audio, image=image)
    hidden = hidden_output(usage, "total_tokens", parts=input_tokens + output_tokens)
    return Reading(
        format=format_name,
        usage=checked(
            Usage(
                input_tokens=input_tokens,
                cache_read_tokens=cached,
                cache_write_5m_tokens=written,
                input_audio_tokens=audio,
                cache_read_audio_tokens=cached_part.audio,
                input_image_tokens=image,
                cache_read_image_tokens=cached_part.image,
                output_tokens=output_tokens + hidden,
                reasoning_tokens=made.count("reasoning_tokens"),
                output_audio_tokens=made.count("audio_tokens"),
                output_image_tokens=made.count("image_tokens"),
                web_searches=_web_searches(envelope.body),
            ),
            usage.path,
        ),
        model=envelope.body.text("model"),
        provider=provider,
        processing=processing_mode(envelope.body.text("service_tier") or usage.text("service_tier")),
        reported_cost_nanousd=reported_cost_nanousd,
    )


def _cached(details: Fields, *, total: int, cached: int, written: int, audio: int, image: int) -> Cached:
    if "cached_tokens_details" in details:
        split = details.object("cached_tokens_details")
        return Cached(split.count("audio_tokens"), split.count("image_tokens"), 0)
    return cached_modalities(total=total, cached=cached, written=written, audio=audio, image=image, video=0)


def _web_searches(body: Fields) -> int:
    """Billed searches: they are output items, not usage. Opening a page found by one is not billed
    (https://developers.openai.com/api/docs/pricing, Built-in tools, read 2026-11-23)."""
    output = body.members.get("output")
    if not isinstance(output, list):
        return 0
    calls = [item for item in output if isinstance(item, dict) and item.get("type") == "web_search_call"]
    actions = [call.get("action") for call in calls]
    return sum(not isinstance(action, dict) or action.get("type", "search") == "search" for action in actions)
