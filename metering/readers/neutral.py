"""Our own form: kernel.usage.Usage's field names and nothing else, so that a typing mistake cannot lose tokens."""

from kernel.usage import FIELDS, Usage
from metering.readers.envelope import Envelope
from metering.readers.reading import Reading, UnreadableUsage, checked, processing_mode

FORMAT = "neutral"


def read(envelope: Envelope) -> Reading:
    """Read counts in our own words. Raises UnreadableUsage on any other word."""
    usage = envelope.usage
    unknown = sorted(set(map(str, usage.members)) - set(FIELDS))
    if unknown:
        raise UnreadableUsage(usage.at(unknown[0]), f"is not one of {', '.join(FIELDS)}")
    wrapped = envelope.body is not usage
    return Reading(
        format=FORMAT,
        usage=checked(Usage(**{name: usage.count(name) for name in FIELDS}), usage.path),
        model=envelope.body.text("model") if wrapped else None,
        processing=processing_mode(envelope.body.text("processing")) if wrapped else None,
        region=envelope.body.text("region") if wrapped else None,
    )
