"""DeepSeek: OpenAI's chat shape; prompt_tokens = prompt_cache_hit_tokens + prompt_cache_miss_tokens."""

from metering.readers.envelope import Envelope
from metering.readers.openai_chat import chat_reading
from metering.readers.reading import Reading, UnreadableUsage

FORMAT = "deepseek"


def read(envelope: Envelope) -> Reading:
    """Read a chat completion. Raises UnreadableUsage when hit and miss do not make up the prompt."""
    usage = envelope.usage
    hit, miss = usage.count("prompt_cache_hit_tokens"), usage.count("prompt_cache_miss_tokens")
    prompt = usage.count("prompt_tokens")
    if "prompt_cache_miss_tokens" in usage and hit + miss != prompt:
        raise UnreadableUsage(usage.at("prompt_tokens"), f"{prompt} differs from {hit} cache hits and {miss} misses")
    return chat_reading(envelope, FORMAT, provider="deepseek")
