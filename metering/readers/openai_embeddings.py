"""OpenAI Embeddings: prompt_tokens and total_tokens, no completion side."""

from kernel.usage import Usage
from metering.readers.envelope import Envelope
from metering.readers.reading import Reading, UnreadableUsage, checked

FORMAT = "openai.embeddings"


def read(envelope: Envelope) -> Reading:
    """Read an embeddings response. Raises UnreadableUsage."""
    usage = envelope.usage
    input_tokens = usage.count("prompt_tokens")
    total = usage.count("total_tokens")
    # Nothing but the input can be in the total, so a difference has no truthful reading.
    if total and total != input_tokens:
        raise UnreadableUsage(usage.at("total_tokens"), f"{total} differs from the {input_tokens} prompt tokens")
    return Reading(
        format=FORMAT,
        usage=checked(Usage(input_tokens=input_tokens), usage.path),
        model=envelope.body.text("model"),
    )
