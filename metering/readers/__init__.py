"""Reading what a provider says a call used, whatever the provider's words and counting rules.

`read` takes the whole response, one stream event, or just the usage object, and answers in the
neutral form of `kernel.usage`. A new format is one file with FORMAT and read(envelope), listed here, and its
shape in detect.py.
"""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

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
from metering.readers.detect import detect
from metering.readers.envelope import Envelope, unwrap
from metering.readers.reading import Reading, UnreadableUsage

__all__ = ["FORMATS", "Reading", "UnreadableUsage", "read"]

_MODULES: Final[tuple[ModuleType, ...]] = (
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

_READERS: Final[Mapping[str, Callable[[Envelope], Reading]]] = {module.FORMAT: module.read for module in _MODULES}

FORMATS: Final = tuple(_READERS)
"""The names `format` may take."""


def read(body: dict[str, Any], format: str | None = None) -> Reading:  # noqa: A002 - the word of the API
    """Read a provider's body, telling its format by its shape unless it is named.

    Unknown members are ignored; wrong types, fractions, negative and huge counts, and counts that
    contradict each other are refused, naming the field. Raises UnreadableUsage.
    """
    if not isinstance(body, dict):
        raise UnreadableUsage("", "usage must be a JSON object")
    if format is not None and format not in _READERS:
        raise UnreadableUsage("format", f"{format!r} is not one of {', '.join(FORMATS)}")
    envelope = unwrap(body)
    return _READERS[format or detect(envelope)](envelope)
