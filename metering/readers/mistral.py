"""Mistral: OpenAI's chat shape, with the cached count as num_cached_tokens beside prompt_tokens (which includes it).

prompt_audio_seconds is billed by time, on top of the tokens. OCR reports pages.
"""

from kernel.usage import Usage
from metering.readers.envelope import Envelope
from metering.readers.openai_chat import chat_reading
from metering.readers.reading import Reading, checked

FORMAT = "mistral"
PROVIDER = "mistral"


def read(envelope: Envelope) -> Reading:
    """Read a chat completion or an OCR result. Raises UnreadableUsage."""
    usage = envelope.usage
    if "pages_processed" in usage:
        return Reading(
            format=FORMAT,
            usage=checked(Usage(document_pages=usage.count("pages_processed")), usage.path),
            model=envelope.body.text("model"),
            provider=PROVIDER,
        )
    # The SDK writes an unset duration as an empty object.
    unset = usage.members.get("prompt_audio_seconds") == {}
    return chat_reading(
        envelope,
        FORMAT,
        provider=PROVIDER,
        audio_milliseconds=0 if unset else usage.milliseconds("prompt_audio_seconds"),
    )
