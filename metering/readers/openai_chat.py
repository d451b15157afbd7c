"""OpenAI Chat Completions, and everyone who speaks it. Counting rules: OpenAI SDK types/completion_usage.py.

prompt_tokens includes cached, cache-write and audio tokens; completion_tokens includes reasoning,
audio and (rejected, but billed) predicted tokens; the details may be null or missing.
"""

from kernel.units import NanoUsd
from kernel.usage import Usage
from metering.readers.envelope import Envelope
from metering.readers.fields import Fields, agreed
from metering.readers.reading import Reading, checked, processing_mode
from metering.readers.totals import cached_modalities, hidden_output

FORMAT = "openai.chat"

CACHED_SPELLINGS = (
    "cached_tokens",  # Kimi, Hugging Face
    "num_cached_tokens",  # Mistral
    "prompt_cache_hit_tokens",  # DeepSeek
    "cache_read_input_tokens",  # LiteLLM, after Anthropic
)
"""Where dialects put the cached count beside prompt_tokens. Each repeats the one in the details."""


def read(envelope: Envelope) -> Reading:
    """Read an OpenAI-shaped chat completion. The provider is left open: the shape does not prove it."""
    return chat_reading(envelope, FORMAT, provider=None)


def chat_reading(
    envelope: Envelope,
    format_name: str,
    *,
    provider: str | None,
    audio_milliseconds: int = 0,
    reported_cost_nanousd: NanoUsd | None = None,
) -> Reading:
    """What every dialect shares. Raises UnreadableUsage."""
    usage = envelope.usage
    prompt = usage.object("prompt_tokens_details")
    completion = usage.object("completion_tokens_details")
    input_tokens = usage.count("prompt_tokens")
    cached = agreed((prompt, ("cached_tokens",)), (usage, CACHED_SPELLINGS))
    written = agreed(
        (prompt, ("cache_write_tokens", "cache_creation_tokens")), (usage, ("cache_creation_input_tokens",))
    )
    audio, image, video = map(prompt.count, ("audio_tokens", "image_tokens", "video_tokens"))
    cached_part = cached_modalities(
        total=input_tokens, cached=cached, written=written, audio=audio, image=image, video=video
    )
    output_tokens, reasoning = _output(usage, completion)
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
                input_video_tokens=video - cached_part.video,
                output_tokens=output_tokens,
                reasoning_tokens=reasoning,
                output_audio_tokens=completion.count("audio_tokens"),
                output_image_tokens=completion.count("image_tokens"),
                audio_milliseconds=audio_milliseconds,
            ),
            usage.path,
        ),
        model=envelope.body.text("model"),
        provider=provider,
        processing=processing_mode(envelope.body.text("service_tier") or usage.text("service_tier")),
        reported_cost_nanousd=reported_cost_nanousd,
    )


def _output(usage: Fields, completion: Fields) -> tuple[int, int]:
    """Output with its reasoning, and the reasoning in it. Raises UnreadableUsage."""
    written = usage.count("completion_tokens")
    reasoning = completion.count("reasoning_tokens")
    hidden = hidden_output(usage, "total_tokens", parts=usage.count("prompt_tokens") + written)
    # Without a total, more reasoning than completion can only mean that it was left out of it.
    if "total_tokens" not in usage and reasoning > written:
        hidden = reasoning
    return written + hidden, reasoning
