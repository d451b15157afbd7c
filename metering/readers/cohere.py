"""Cohere: what is billed is billed_units; tokens include a hidden template and are not (13 of 13 recorded bodies).

Chat carries billed_units in usage, embed and rerank in meta. Counts come typed as floats.
cached_tokens counts against tokens, not against billed units (recorded: 2,928 cached, 2,406
billed), so it says nothing about the price and is not read.
"""

from kernel.usage import Usage
from metering.readers.envelope import Envelope
from metering.readers.reading import Reading, UnreadableUsage, checked

FORMAT = "cohere"


def read(envelope: Envelope) -> Reading:
    """Read chat, embed or rerank. Raises UnreadableUsage."""
    units = envelope.usage.object("billed_units")
    if not units.members:
        raise UnreadableUsage(units.path, "is missing: Cohere bills these, not tokens")
    if units.count("classifications"):
        raise UnreadableUsage(units.at("classifications"), "are billed by a unit we do not count")
    image_tokens = units.count("image_tokens")
    return Reading(
        format=FORMAT,
        usage=checked(
            Usage(
                input_tokens=units.count("input_tokens") + image_tokens,
                input_image_tokens=image_tokens,
                output_tokens=units.count("output_tokens"),
                rerank_searches=units.count("search_units"),
            ),
            units.path,
        ),
        model=envelope.body.text("model"),
        provider="cohere",
    )
