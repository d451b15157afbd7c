"""Telling formats apart by shape alone. Two that fit are a refusal: they would count differently."""

from collections.abc import Callable, Set
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

Fits = Callable[[Envelope, Set[str]], bool]
"""Whether a body is of a shape, by what is around the usage and by the names of what the usage reports."""


def detect(envelope: Envelope) -> str:
    """The format of a body. Raises UnreadableUsage when none fits, or more than one."""
    names = {name for name, value in envelope.usage.members.items() if value is not None}
    shapes = [shape for shape, fits in SHAPES.items() if fits(envelope, names)]
    if len(shapes) == 1:
        return _dialect(envelope, names, shapes[0])
    if shapes:
        raise UnreadableUsage(envelope.usage.path, f"could be {' or '.join(shapes)}: say which in `format`")
    raise UnreadableUsage(envelope.usage.path, "is in no form we know: say which in `format`")


def _has(*names: str) -> Fits:
    telling = frozenset(names)
    return lambda _, names: not telling.isdisjoint(names)


_in_and_out = _has("input_tokens", "output_tokens")
_inclusive_details = _has("total_tokens", "input_tokens_details", "input_token_details", "output_token_details")


def _responses(envelope: Envelope, names: Set[str]) -> bool:
    """Inclusive counts: a total, or details only OpenAI writes."""
    if envelope.body.members.get("object") == "response":
        return True
    return (
        _in_and_out(envelope, names)
        and not _message(envelope)
        and (
            _inclusive_details(envelope, names) or "reasoning_tokens" in envelope.usage.object("output_tokens_details")
        )
    )


_anthropic_details = _has(
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


def _anthropic(envelope: Envelope, names: Set[str]) -> bool:
    """Exclusive counts: a message, or members only Anthropic writes."""
    return _in_and_out(envelope, names) and (_message(envelope) or _anthropic_details(envelope, names))


def _neutral(envelope: Envelope, names: Set[str]) -> bool:
    said = envelope.usage.members.keys()  # also what is null: the neutral form has no other words
    if OURS.isdisjoint(said) or _message(envelope):
        return False
    # Input and output alone mean the same to everyone, unless the response around them is known.
    return (said <= BARE or not DISTINCTLY_OURS.isdisjoint(said)) and not _responses(envelope, names)


OURS: Final = frozenset(FIELDS)
BARE: Final = frozenset({"input_tokens", "output_tokens"})
DISTINCTLY_OURS: Final = OURS - BARE

SHAPES: Final[dict[str, Fits]] = {
    openai_chat.FORMAT: _has("prompt_tokens", "completion_tokens"),
    openai_responses.FORMAT: _responses,
    anthropic.FORMAT: _anthropic,
    gemini.FORMAT: _has(*gemini.COUNTS, *map(gemini.snake, gemini.COUNTS)),
    bedrock.FORMAT: _has("inputTokens", "outputTokens"),
    cohere.FORMAT: _has("billed_units"),
    openai_audio.FORMAT: lambda envelope, _: envelope.usage.members.get("type") == "duration",
    mistral.FORMAT: _has("pages_processed"),
    neutral.FORMAT: _neutral,
}


def _dialect(envelope: Envelope, names: Set[str], shape: str) -> str:
    """Who speaks OpenAI's shape here, by the members only they add."""
    if shape in (openai_chat.FORMAT, openai_responses.FORMAT) and (
        "is_byok" in names or "cost_details" in names or isinstance(envelope.usage.members.get("cost"), int | float)
    ):
        return openrouter.FORMAT
    if shape != openai_chat.FORMAT:
        return shape
    if "prompt_cache_hit_tokens" in names:
        return deepseek.FORMAT
    if "num_cached_tokens" in names or "prompt_audio_seconds" in names:
        return mistral.FORMAT
    if "queue_time" in names or "x_groq" in envelope.body:
        return groq.FORMAT
    if "completion_tokens" not in names and "completion_tokens_details" not in names:
        return openai_embeddings.FORMAT
    return shape
