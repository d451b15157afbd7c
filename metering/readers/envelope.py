"""Finding the usage object inside whatever the caller had in hand: a response, a stream event, or itself."""

from typing import Any, Final

from metering.readers.fields import Fields
from metering.readers.reading import UnreadableUsage

WRAPPERS: Final = ("response", "metadata")
"""Events that carry the whole thing one level down: OpenAI's response.completed, Bedrock's stream metadata."""

USAGE_KEYS: Final = ("usage", "usageMetadata", "usage_metadata", "usage_info")


class Envelope:
    """A body taken apart: the response around the usage, and the usage."""

    __slots__ = ("body", "usage")

    def __init__(self, body: Fields, usage: Fields) -> None:
        self.body = body
        self.usage = usage


def unwrap(body: dict[str, Any]) -> Envelope:
    """Find the usage object. Raises UnreadableUsage when there is none, or more than one."""
    fields = Fields(body)
    for wrapper in WRAPPERS:
        inside = body.get(wrapper)
        if isinstance(inside, dict) and _usage_keys(inside) and not _usage_keys(body):
            fields = Fields(inside, wrapper)
    found = _usage_keys(fields.members)
    if len(found) > 1:
        raise UnreadableUsage(found[1], f"the body holds more than one usage: {', '.join(found)}")
    if found:
        usage = fields.object(found[0])
        if not usage.members:
            raise UnreadableUsage(usage.path, "is empty: a stream reports its usage in its last event")
        return Envelope(fields, usage)
    if body.get("type") == "message_start":
        raise UnreadableUsage("type", "message_start only begins a stream: send the usage of its last message_delta")
    if "meta" in fields and "billed_units" in (meta := fields.object("meta")):
        return Envelope(fields, meta)
    # Groq repeats the usage of a stream's last chunk here, and older gateways leave only this one.
    if "x_groq" in fields and "usage" in (last := fields.object("x_groq")):
        return Envelope(fields, last.object("usage"))
    return Envelope(fields, fields)


def _usage_keys(members: dict[str, Any]) -> list[str]:
    return [key for key in USAGE_KEYS if members.get(key) is not None]
