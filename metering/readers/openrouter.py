"""OpenRouter: OpenAI's chat or Responses shape, with what was charged for the call.

usage.cost is in US dollars and includes what token arithmetic cannot see (plugins, its own tools).
"""

from kernel.units import NanoUsd
from metering.readers.envelope import Envelope
from metering.readers.fields import Fields
from metering.readers.openai_chat import chat_reading
from metering.readers.openai_responses import responses_reading
from metering.readers.reading import Reading

FORMAT = "openrouter"
PROVIDER = "openrouter"


def read(envelope: Envelope) -> Reading:
    """Read either shape. Raises UnreadableUsage."""
    cost = _charged(envelope.usage)
    if "prompt_tokens" in envelope.usage or "completion_tokens" in envelope.usage:
        return chat_reading(envelope, FORMAT, provider=PROVIDER, reported_cost_nanousd=cost)
    return responses_reading(envelope, FORMAT, provider=PROVIDER, reported_cost_nanousd=cost)


def _charged(usage: Fields) -> NanoUsd | None:
    """All the call cost us. With our own key (is_byok) `cost` is OpenRouter's fee alone, and the
    upstream bills the rest to us: without that part the cost is not known."""
    cost = usage.usd("cost")
    if not usage.members.get("is_byok"):
        return cost
    upstream = usage.object("cost_details").usd("upstream_inference_cost")
    return NanoUsd(cost + upstream) if cost is not None and upstream is not None else None
