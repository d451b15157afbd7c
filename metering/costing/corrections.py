"""Our own dated corrections of the default catalogue: corrections.yaml, each line with its source.

They rank below an operator's cost cards and above genai-prices. Changing the file changes `version`,
which is stamped on what it prices.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from fnmatch import fnmatchcase
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Annotated

import msgspec

from metering.costing.rates import KINDS, Steps, scaled, usd_per_million

FILE = Path(__file__).with_name("corrections.yaml")

Patterns = Annotated[list[str], msgspec.Meta(min_length=1)]


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every correction says: whom it concerns, where it is written, and when that was read."""

    provider: str
    models: Patterns
    source: str
    read: date
    published: str = ""

    def concerns(self, provider: str, names: Iterable[str]) -> bool:
        """Whether one of a model's names fits one of the patterns (``*`` stands for anything)."""
        return provider == self.provider and any(
            fnmatchcase(name.lower(), pattern) for name in names for pattern in self.models
        )


class RateLine(Line, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prices the catalogue lacks or misstates, replaced kind by kind between two instants.

    ``usd_per_million``: dollars per million units of the kind (searches and pages too), or such prices by
    the number of input tokens above which they apply.
    """

    usd_per_million: dict[str, str | dict[int, str]]
    since: datetime | None = None
    until: datetime | None = None

    def in_force(self, at: datetime) -> bool:
        """Whether the line holds at an instant: [since, until)."""
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)

    def prices(self) -> dict[str, Steps]:
        """The line's prices, exactly."""
        return {kind: tuple(_steps(prices)) for kind, prices in self.usd_per_million.items()}


class ModeLine(Line, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a processing mode costs where the catalogue lists no rate for it: a factor, or another mode's rates."""

    mode: str
    factor: str = "1"
    kinds: list[str] | None = None
    like: str | None = None

    def apply(self, prices: Mapping[str, Steps]) -> dict[str, Steps]:
        """Prices of the mode, from the standard ones."""
        return scaled(prices, Fraction(self.factor), None if self.kinds is None else frozenset(self.kinds))


class RegionLine(Line, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What running inference in a region adds to every token price."""

    regions: Patterns
    factor: str

    def apply(self, prices: Mapping[str, Steps], region: str) -> dict[str, Steps]:
        """The prices there; ``*`` is any named region but global."""
        if region in self.regions or ("*" in self.regions and region not in ("", "global")):
            return scaled(prices, Fraction(self.factor))
        return dict(prices)


class MinimumLine(Line, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The least quantity of a kind that is billed once there is any."""

    kind: str
    least: int


class Corrections(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. Later lines win over earlier ones."""

    version: date
    rates: list[RateLine]
    modes: list[ModeLine]
    regions: list[RegionLine]
    minimums: list[MinimumLine]

    @property
    def label(self) -> str:
        """How a price this file touched is stamped."""
        return f"weir-corrections/{self.version.isoformat()}"

    def provider_of(self, names: Iterable[str]) -> str | None:
        """Who sells a model that only this file lists; None where it does not either."""
        return next((line.provider for line in self.rates if line.concerns(line.provider, names)), None)

    def lines(self) -> Iterator[Line]:
        """Every line, for review."""
        yield from (*self.rates, *self.modes, *self.regions, *self.minimums)


@cache
def shipped() -> Corrections:
    """The corrections this release ships. Raises msgspec.ValidationError or ValueError on a bad file."""
    corrections = msgspec.yaml.decode(FILE.read_bytes(), type=Corrections)
    named = {kind for line in corrections.rates for kind in line.usd_per_million}
    named |= {kind for line in corrections.modes for kind in line.kinds or ()}
    named |= {line.kind for line in corrections.minimums}
    if named - KINDS:
        raise ValueError(f"{FILE.name} names {sorted(named - KINDS)}, which are not kinds of usage")
    return corrections


def _steps(prices: str | dict[int, str]) -> Iterator[tuple[int, Fraction]]:
    by_length = {0: prices} if isinstance(prices, str) else prices
    for above in sorted(by_length):
        yield above, usd_per_million(by_length[above])
