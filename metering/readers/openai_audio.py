"""OpenAI transcription billed by time (whisper-1): usage is {"type": "duration", "seconds": 9}."""

from kernel.usage import Usage
from metering.readers.envelope import Envelope
from metering.readers.reading import Reading, checked

FORMAT = "openai.audio"


def read(envelope: Envelope) -> Reading:
    """Read a duration. Raises UnreadableUsage."""
    usage = envelope.usage
    return Reading(
        format=FORMAT,
        usage=checked(Usage(audio_milliseconds=usage.milliseconds("seconds")), usage.path),
        model=envelope.body.text("model"),
    )
