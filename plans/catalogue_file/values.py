"""Amounts as the catalogue file writes them, read exactly."""

import re
from abc import ABC, abstractmethod
from decimal import Decimal
from typing import Any, Final, Self

from kernel.units import InexactAmount, format_credits, parse_credits

Plain = Decimal | str
"""What a value is in the plain form that is dumped and compared."""


class Value(ABC):
    """An amount with its own way of being written. Subclasses hold one comparable `content`."""

    __slots__ = ("content",)

    def __init__(self, content: Any) -> None:
        self.content = content

    @classmethod
    @abstractmethod
    def read(cls, raw: Any) -> Self:
        """Read what YAML gave. Raises ValueError."""

    @abstractmethod
    def plain(self) -> Plain:
        """The canonical way to write it."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.content == other.content

    def __hash__(self) -> int:
        return hash(self.content)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.plain()})"


class Credits(Value):
    """Credits, to six decimal places. `content` is microcredits ≥ 0."""

    @classmethod
    def read(cls, raw: Any) -> Self:
        microcredits = parse_credits(str(raw) if isinstance(raw, Decimal) else raw)
        if microcredits < 0:
            raise InexactAmount("credits must not be negative")
        return cls(int(microcredits))

    def plain(self) -> Decimal:
        return Decimal(format_credits(self.content))


_PRICE: Final = re.compile(r"(\d{1,11}(?:\.\d{1,6})?) ?([A-Z]{3})")


class Price(Value):
    """Money as ``49 USD``. `content` is (amount, currency)."""

    @classmethod
    def read(cls, raw: Any) -> Self:
        found = _PRICE.fullmatch(raw) if isinstance(raw, str) else None
        if found is None:
            raise InexactAmount('a price must be an amount and a currency, such as "49 USD"')
        return cls.of(Decimal(found[1]), found[2])

    @classmethod
    def of(cls, amount: Decimal, currency: str) -> Self:
        """Equal amounts are equal however many zeros they end in."""
        return cls((amount.normalize(), currency))

    @property
    def amount(self) -> Decimal:
        amount: Decimal = self.content[0]
        return amount

    @property
    def currency(self) -> str:
        currency: str = self.content[1]
        return currency

    def plain(self) -> str:
        return f"{self.amount:f} {self.currency}"


class LimitValue(Value):
    """A limit's number in its own unit: calls and tokens are whole, credits and US dollars may not be."""

    @classmethod
    def read(cls, raw: Any) -> Self:
        amount = Decimal(raw) if isinstance(raw, int | Decimal) and not isinstance(raw, bool) else None
        if amount is None or not amount.is_finite() or amount < 0:
            raise InexactAmount("must be a number ≥ 0")
        return cls(amount.normalize())

    def plain(self) -> Decimal:
        amount: Decimal = self.content
        return Decimal(f"{amount:f}")
