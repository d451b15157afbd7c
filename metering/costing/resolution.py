"""Working out what a call's rates are at every instant, once per provider, model, mode and region."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from metering.costing import defaults
from metering.costing.aliases import REGION_PREFIX, Catalogued, find, provider_key, spellings
from metering.costing.corrections import Corrections
from metering.costing.defaults import DefaultPrices
from metering.costing.overrides import Override
from metering.costing.rates import CostRates, Prices, Steps
from metering.costing.timeline import Timeline

STANDARD: Final = "standard"

Key = tuple[str | None, str | None, str | None, str | None]
"""Provider, model, processing and region as a call gives them."""


def resolve(key: Key, overrides: Sequence[Override], corrections: Corrections) -> Timeline:
    """Every rate a key will ever cost, from the cards (best first), the corrections and the default catalogue."""
    return _Resolution(key, overrides, corrections).timeline()


class _Resolution:
    """Working out one timeline: who lists the model, under which names, and what changes when."""

    def __init__(self, key: Key, overrides: Sequence[Override], corrections: Corrections) -> None:
        asked, model, processing, region = key
        self._mode = (processing or STANDARD).lower()
        self._region = (region or "").lower()
        self._label = corrections.label
        named = provider_key(asked)
        listed = _find(named, model, self._region) if model else None
        self._default = DefaultPrices(listed.model) if listed is not None else None
        names = _names(model or "", named, listed)
        provider = listed.provider if listed is not None else named or corrections.provider_of(names)
        self._overrides = [card for card in overrides if card.concerns(provider, names, self._mode, self._region)]
        server = provider or ""
        # A cloud that sells at the maker's prices sells at the maker's corrected ones, modes included; where it
        # runs them, and what that adds, is its own.
        sellers = [listed.maker, server] if listed is not None else [server]
        self._rates = [line for line in corrections.rates if any(line.concerns(one, names) for one in sellers)]
        self._modes = {line.mode: line for one in sellers for line in corrections.modes if line.concerns(one, names)}
        self._regions = [line for line in corrections.regions if line.concerns(server, names)]
        self._minimums = {line.kind: line.least for line in corrections.minimums if line.concerns(server, names)}
        self._built: dict[tuple[str, frozenset[tuple[str, Steps]]], CostRates] = {}

    def timeline(self) -> Timeline:
        instants = {line.since for line in self._rates} | {line.until for line in self._rates}
        instants |= {card.effective_from for card in self._overrides}
        instants |= {card.effective_until for card in self._overrides}
        default = self._default
        return Timeline(
            self._rates_at,
            [*(instant for instant in instants if instant is not None), *(default.instants() if default else ())],
            default.times_of_day() if default else (),
        )

    def _rates_at(self, at: datetime) -> CostRates | None:
        for card in self._overrides:
            if card.in_force(at):
                return self._build(card.label, card.prices, {})
        untouched = self._default.standard(at) if self._default else {}
        standard = dict(untouched)
        for line in self._rates:
            if line.in_force(at):
                standard.update(line.prices())
        if not standard:
            return None
        prices, corrected = self._in_mode(self._mode, at, standard)
        for region in self._regions:
            regional = region.apply(prices, self._region)
            corrected |= regional != prices
            prices = regional
        label = defaults.LABEL if self._default else self._label
        if self._default and (corrected or standard != untouched or self._minimums):
            label = f"{defaults.LABEL}+{self._label}"
        return self._build(label, prices, self._minimums)

    def _build(self, label: str, prices: Prices, minimums: Mapping[str, int]) -> CostRates:
        """One object for the same rates at several instants, so that a timeline can tell nothing changed."""
        key = (label, frozenset(prices.items()))
        if key not in self._built:
            self._built[key] = CostRates(label, prices, minimums)
        return self._built[key]

    def _in_mode(self, mode: str, at: datetime, standard: dict[str, Steps]) -> tuple[dict[str, Steps], bool]:
        """Prices in a mode, and whether a correction made them. A mode nobody has a rate for costs the standard."""
        if mode == STANDARD:
            return standard, False
        listed = self._default.processed(mode, at, standard) if self._default else None
        if listed is not None:
            return listed, False
        line = self._modes.get(mode)
        if line is None:
            return standard, False
        if line.like is not None:
            return self._in_mode(line.like, at, standard)[0], True
        return line.apply(standard), True


def _find(provider: str | None, model: str, region: str) -> Catalogued | None:
    # Bedrock's price is in the inference profile, which a caller may give as the region instead.
    if provider == "aws" and region and not REGION_PREFIX.match(model.lower()):
        profiled = find(defaults.providers(), provider, f"{region}.{model}")
        if profiled is not None:
            return profiled
    return find(defaults.providers(), provider, model)


def _names(model: str, provider: str | None, listed: Catalogued | None) -> list[str]:
    """Every id the model goes by: as reported, bare, and as the catalogue calls it.

    Not its undated form: gpt-4o-2024-05-13 is not what a card for gpt-4o is about.
    """
    reported, bare, _ = spellings(model.strip().lower(), provider)
    names = [name for name in (reported, bare) if name]
    if listed is not None:
        names.append(listed.model.id.lower())
    return list(dict.fromkeys(names))
