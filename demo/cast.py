"""The demo company's customers: invented, with a story each. The first ones have the stories worth seeing."""

from typing import Final

import msgspec


class Member(msgspec.Struct, frozen=True):
    """A customer of the demo company. Days are counted on a scale of 30, from the first to the last day shown."""

    key: str
    plan: str
    habit: str
    calls: int
    """In 30 days, all of them active."""
    users: int
    utc_offset: int
    """Hours: when their working day is."""
    joined: int
    """Negative: that many days before the first one, which sets their billing day."""
    tops_up: str | None = None
    """The pack they buy whenever their credits run low."""
    promo: int = 0
    """Credits given to them as they join, good for two weeks."""
    moves: tuple[int, str] | None = None
    """The day on which they change to another plan."""
    leaves: int | None = None

    @property
    def name(self) -> str:
        return self.key.replace("-and-", "-&-").replace("-", " ").title()


CAST: Final[tuple[Member, ...]] = (
    # One flat price, agents that loop over night: the customer who costs several times what they pay.
    Member("hungry-otter-games", "flat", "runaway agents", 2200, 3, -8, 0),
    # Uses more than its plan includes, and pays for it as overage.
    Member("borealis-bank", "scale", "research", 5000, 34, 1, 0),
    # Its credits ran out, its product did not ask before calling: the rest is debt.
    Member("kestrel-legal", "pro", "professional", 2000, 1, 0, 0),
    # Whose calls `manage.py replay` sends unless told otherwise.
    Member("trace-lab", "pay-as-you-go", "integration", 120, 1, 0, -3),
    # Calls a model nobody has a price for.
    Member("early-bird-labs", "pay-as-you-go", "early adopter", 420, 4, -5, -12),
    # Buys credits whenever they run low.
    Member("paperbark-press", "pro", "professional", 2600, 1, 9, 0, tops_up="small"),
    Member("mossy-rock-films", "free", "tries it", 340, 1, 1, 4, promo=200),
    # Outgrew its plan; another left.
    Member("copperline-robotics", "pro", "professional", 1100, 6, 1, -9, moves=(14, "team")),
    Member("dovetail-joinery", "pro", "professional", 700, 1, 0, -25, leaves=21),
    Member("saltmarsh-energy", "scale", "whole company", 1900, 27, 2, -17),
    Member("northwind-tools", "team", "developers", 1600, 9, 1, -6),
    Member("harbour-legal", "pro", "professional", 1000, 1, 0, -14),
    Member("lumen-clinics", "team", "developers", 900, 8, -5, -22),
    Member("pebble-and-pine", "pay-as-you-go", "integration", 1100, 2, -6, -8),
    Member("larkspur-travel", "flat", "all in", 1700, 4, 2, -11),
    Member("quill-and-co", "pro-yearly", "professional", 800, 1, -5, -28),
    Member("tidewater-freight", "scale", "whole company", 1300, 19, -6, 3),
    Member("sable-insurance", "team", "developers", 1200, 10, 0, -13),
    Member("fernhill-school", "free", "tries it", 220, 1, 0, -2),
    Member("orchard-analytics", "pay-as-you-go", "integration", 1500, 3, 1, -19),
    Member("granite-peak-homes", "pro", "professional", 1150, 1, -7, -5),
    Member("blue-anchor-supply", "team", "developers", 620, 5, -8, -16),
    Member("violet-hour-media", "pro", "professional", 2000, 1, -8, -1, tops_up="medium"),
    Member("cinder-block-gym", "free", "tries it", 90, 1, -6, 11),
    Member("meridian-maps", "pay-as-you-go", "integration", 800, 2, 9, 2),
    Member("tallgrass-foods", "pro", "professional", 450, 1, -6, -10),
    Member("juniper-dental", "flat", "light", 210, 3, -5, -24),
    Member("wren-architects", "team", "developers", 1250, 7, 0, 6),
    Member("silverbirch-housing", "pro", "professional", 820, 1, 1, -18),
    Member("foxglove-pharmacy", "pay-as-you-go", "integration", 560, 1, 1, -7),
    Member("ironwood-motors", "team", "developers", 1600, 10, -5, -27),
    Member("honeycomb-homes", "free", "tries it", 410, 1, 10, -15),
    Member("drift-and-tide", "pro", "professional", 300, 1, 10, 9),
    Member("amber-lane-books", "pro-yearly", "professional", 520, 1, 0, -23),
    Member("cobalt-shipping", "pay-as-you-go", "integration", 800, 2, 8, -4),
    Member("thistle-down-toys", "free", "tries it", 160, 1, 0, 17),
    Member("redwood-notaries", "pro", "professional", 950, 1, -8, -1),
    Member("plover-aviation", "flat", "light", 300, 5, 2, 5),
    Member("marigold-bakeries", "pay-as-you-go", "integration", 240, 1, -3, 13),
    Member("opal-street-gallery", "free", "tries it", 60, 1, -5, 22),
)


def members(count: int) -> list[Member]:
    """The first `count` of the cast; beyond it, further customers like those without a story."""
    ordinary = CAST[9:]
    more = [
        msgspec.structs.replace(model, key=f"{model.key}-{round_}")
        for round_ in range(2, 2 + -(-max(count - len(CAST), 0) // len(ordinary)))
        for model in ordinary
    ]
    return [*CAST, *more][:count]
