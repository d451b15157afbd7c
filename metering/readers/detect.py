"""Telling formats apart by shape alone. Two that fit are a refusal: they would count differently."""

from collections.abc import Callable
from typing import Final

from kernel.usage import FIELDS
from metering.readers import (
    anthropic,
    bedrock,
    cohere,
    deepseek,
    gemini,
    groq,
    mistral,
    neutral,
    openai_audio,
    openai_chat,
    openai_embeddings,
    openai_responses,
    openrouter,
)
from metering.readers.envelope import Envelope
from metering.readers.reading import UnreadableUsage


def detect(envelope: Envelope) -> str:
    """The format of a body. Raises UnreadableUsage when none fits, or more than one."""
    shapes = [shape for shape, fits in SHAPES.items() if fits(envelope)]
    if len(shapes) == 1:
        return _dialect(envelope, shapes[0])
    if shapes:
        raise UnreadableUsage(envelope.usage.path, f"could be {' or '.join(shapes)}: say which in `format`")
    raise UnreadableUsage(envelope.usage.path, "is in no form we know: say which in `format`")


def _has(*names: str) -> Callable[[Envelope], bool]:
    return lambda envelope: any(name in envelope.usage for name in names)


def _chat(envelope: Envelope) -> bool:
    return "prompt_tokens" in envelope.usage or "completion_tokens" in envelope.usage


def _in_and_out(envelope: Envelope) -> bool:
    return "input_tokens" in envelope.usage or "output_tokens" in envelope.usage


def _responses(envelope: Envelope) -> bool:
    """Inclusive counts: a total, or details only OpenAI writes."""
    if envelope.body.members.get("object") == "response":
        return True
    usage = envelope.usage
    details = ("total_tokens", "input_tokens_details", "input_token_details", "output_token_details")
    return (
        _in_and_out(envelope)
        and not _message(envelope)
        and (any(name in usage for name in details) or "reasoning_tokens" in usage.object("output_tokens_details"))
    )


ANTHROPIC_ONLY: Final = (
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cache_creation",
    "server_tool_use",
    "inference_geo",
    "service_tier",
    "iterations",
)


def _message(envelope: Envelope) -> bool:
    return envelope.body.members.get("type") in ("message", "message_delta")


def _anthropic(envelope: Envelope) -> bool:
    """Exclusive counts: a message, or members only Anthropic writes."""
    return _in_and_out(envelope) and (_message(envelope) or any(name in envelope.usage for name in ANTHROPIC_ONLY))


def _neutral(envelope: Envelope) -> bool:
    names = set(envelope.usage.members)
    ours = names & set(FIELDS)
    # Input and output alone mean the same to everyone, unless the response around them is known.
    bare = names <= {"input_tokens", "output_tokens"}
    return (
        bool(ours) and not _message(envelope) and (bare or bool(names & DISTINCTLY_OURS)) and not _responses(envelope)
    )


DISTINCTLY_OURS: Final = frozenset(FIELDS) - {"input_tokens", "output_tokens"}

SHAPES: Final[dict[str, Callable[[Envelope], bool]]] = {
    openai_chat.FORMAT: _chat,
    openai_responses.FORMAT: _responses,
    anthropic.FORMAT: _anthropic,
    gemini.FORMAT: _has(*gemini.COUNTS, *map(gemini.snake, gemini.COUNTS)),
    bedrock.FORMAT: _has("inputTokens", "outputTokens"),
    cohere.FORMAT: _has("billed_units"),
    openai_audio.FORMAT: lambda envelope: envelope.usage.members.get("type") == "duration",
    mistral.FORMAT: _has("pages_processed"),
    neutral.FORMAT: _neutral,
}


def _dialect(envelope: Envelope, shape: str) -> str:
    """Who speaks OpenAI's shape here, by the members only they add."""
    usage = envelope.usage
    if shape in (openai_chat.FORMAT, openai_responses.FORMAT) and (
        "is_byok" in usage or "cost_details" in usage or isinstance(usage.members.get("cost"), int | float)
    ):
        return openrouter.FORMAT
    if shape != openai_chat.FORMAT:
        return shape
    if "prompt_cache_hit_tokens" in usage:
        return deepseek.FORMAT
    if "num_cached_tokens" in usage or "prompt_audio_seconds" in usage:
        return mistral.FORMAT
    if "queue_time" in usage or "x_groq" in envelope.body:
        return groq.FORMAT
    if "completion_tokens" not in usage and "completion_tokens_details" not in usage:
        return openai_embeddings.FORMAT
    return shape
