"""Groq: OpenAI's chat shape with timings in seconds (queue_time and so on), which are not billed."""

from metering.readers.envelope import Envelope
from metering.readers.openai_chat import chat_reading
from metering.readers.reading import Reading

FORMAT = "groq"


def read(envelope: Envelope) -> Reading:
    """Read a chat completion. Raises UnreadableUsage."""
    return chat_reading(envelope, FORMAT, provider="groq")
