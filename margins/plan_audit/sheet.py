"""An offer with the figures its findings are made from, and how they are written. Pure."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction

import msgspec

from kernel.units import format_scaled
from margins.plan_audit.terms import MICRO, NANO, CallFigures, Case, Offer, Option


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit has worked out, before anything is said about it."""

    offer: Offer
    options: tuple[Option, ...]
    currency: str
    credit_earns_nano: Fraction | None
    dearest: Case
    thinnest: Case
    p50: Case
    p95: Case

    @property
    def comparable(self) -> bool:
        """Whether costs and prices are in one currency."""
        return self.offer.money_per_usd is not None

    @property
    def price(self) -> str:
        """``29 USD a month``."""
        plan = self.offer.plan
        return f"{Decimal(plan.price).normalize():f} {plan.currency} a {plan.interval}"

    def money(self, nano: Fraction) -> str:
        """An amount for reading, to the cent; fractions of a cent to six places."""
        places = 2 if abs(nano) >= NANO // 10 else 6
        text = format_scaled(round(nano * 10**places / NANO), places)
        return f"{text} {self.currency}"

    def per_credit(self, nano: Fraction) -> str:
        """A credit's cost or price, to six places."""
        return f"{format_scaled(round(nano * MICRO / NANO), 6)} {self.currency}"

    def beyond(self, worth_nano: Fraction) -> Iterator[tuple[Option, Fraction]]:
        """The options an ordinary call of which costs more per credit than `worth_nano`, dearest first."""
        return self._beyond(worth_nano, ((option, option.typical) for option in self.options))

    def can_go_beyond(self, worth_nano: Fraction) -> Iterator[tuple[Option, Fraction]]:
        """Those of which some call does."""
        return self._beyond(worth_nano, ((option, call) for option in self.options for call in option.extremes))

    @staticmethod
    def _beyond(
        worth_nano: Fraction, calls: Iterable[tuple[Option, CallFigures | None]]
    ) -> Iterator[tuple[Option, Fraction]]:
        dearer = [
            (option, cost)
            for option, call in calls
            if call is not None and (cost := call.cost_per_credit) is not None and cost > worth_nano
        ]
        return iter(sorted(dearer, key=lambda one: one[1], reverse=True))


def model_keys(options: Iterable[Option]) -> tuple[str, ...]:
    """The models of some options, each once, in their order."""
    return tuple(dict.fromkeys(option.model.key for option in options))


def named(keys: Iterable[str], most: int = 4) -> str:
    """``a, b and 7 more``: enough to know what is meant."""
    these = list(dict.fromkeys(keys))
    shown, rest = these[:most], len(these) - most
    if rest > 0:
        return f"{', '.join(shown)} and {rest} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
