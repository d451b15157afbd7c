"""Whether the parts of a catalogue file fit each other and what the database already has. Pure."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from kernel.clock import EARLIEST
from kernel.units import MAX_AMOUNT
from kernel.usage import FIELDS
from plans.catalogue_file.problems import CatalogueFileInvalid
from plans.catalogue_file.spec import (
    SECTIONS,
    CatalogueSpec,
    LimitSpec,
    ModelSpec,
    PlanSpec,
    RateCardVersionSpec,
    RateSpec,
)
from plans.catalogue_file.values import Price
from plans.model_names import MatchRule, ModelName, clashes, compiled_regex
from plans.money import decimal_places
from plans.terms import LIMIT_SCALES, window_fault

MONEY_DIGITS: Final = 14
PRICE_PLACES: Final = 3
UNIT_PRICE_PLACES: Final = 6
"""What the columns of prices keep: all digits together, decimal places, and those of the price of one credit."""

LATEST_YEAR: Final = 2200


def merged(file: CatalogueSpec, stored: CatalogueSpec) -> CatalogueSpec:
    """What there will be after the file is applied: its parts over the database's."""
    return msgspec.structs.replace(
        stored, **{section: {**getattr(stored, section), **getattr(file, section)} for section in SECTIONS}
    )


def check(file: CatalogueSpec, stored: CatalogueSpec, currencies: Iterable[str]) -> None:
    """Raises CatalogueFileInvalid with everything that does not fit."""
    checker = _Checker(merged(file, stored), frozenset(currencies))
    faults = list(checker.faults(file))
    if faults:
        raise CatalogueFileInvalid(faults)


class _Checker:
    def __init__(self, whole: CatalogueSpec, currencies: frozenset[str]) -> None:
        self.whole = whole
        self.currencies = currencies

    def faults(self, file: CatalogueSpec) -> Iterator[str]:
        yield from self._tiers()
        for key, model in file.models.items():
            yield from self._model(f"models.{key}", model)
        yield from (f"models: {clash}" for clash in clashes(model_names(self.whole)))
        for key, card in file.rate_cards.items():
            yield from _repeated(f"rate_cards.{key}.versions", "number", [version.number for version in card.versions])
            yield from _repeated(f"rate_cards.{key}.versions", "from", [version.start for version in card.versions])
            for index, version in enumerate(card.versions):
                yield from self._version(f"rate_cards.{key}.versions[{index}]", version)
        for key, plan in file.plans.items():
            yield from self._plan(f"plans.{key}", plan)
        for key, pack in file.top_up_packs.items():
            yield from self._price(f"top_up_packs.{key}.price", pack.price)
            if not pack.credits.content:
                yield f"top_up_packs.{key}.credits: must be more than 0"

    def _tiers(self) -> Iterator[str]:
        by_rank: dict[int, str] = {}
        for key, tier in self.whole.tiers.items():
            other = by_rank.setdefault(tier.rank, key)
            if other != key:
                yield f"tiers.{key}.rank: {tier.rank} is {other}'s already"

    def _model(self, path: str, model: ModelSpec) -> Iterator[str]:
        yield from self._known(f"{path}.tier", "tiers", model.tier)
        for index, pattern in enumerate(model.patterns):
            if compiled_regex(pattern) is None:
                yield f"{path}.patterns[{index}]: {pattern!r} is not a regular expression"

    def _version(self, path: str, version: RateCardVersionSpec) -> Iterator[str]:
        if version.start < EARLIEST or version.start.year >= LATEST_YEAR:
            yield f"{path}.from: must be between {EARLIEST.year} and {LATEST_YEAR}"
        if not version.round_to.content:
            yield f"{path}.round_to: must be more than 0"
        yield from _repeated(f"{path}.rates", "selector", [rate.selector for rate in version.rates])
        for index, rate in enumerate(version.rates):
            yield from self._rate(f"{path}.rates[{index}]", rate)

    def _rate(self, path: str, rate: RateSpec) -> Iterator[str]:
        for member, section in (("feature", "features"), ("model", "models"), ("tier", "tiers")):
            yield from self._known(f"{path}.{member}", section, getattr(rate, member))
        if rate.model is not None and rate.tier is not None:
            yield f"{path}: a rate applies to a model or to a tier, not to both"
        kinds = [kind for kind, _, _ in rate.prices]
        yield from _repeated(path, "kind", kinds)
        known = ", ".join(FIELDS)
        yield from (f"{path}: {kind!r} is no kind of usage; there are {known}" for kind in kinds if kind not in FIELDS)

    def _plan(self, path: str, plan: PlanSpec) -> Iterator[str]:
        yield from self._known(f"{path}.rate_card", "rate_cards", plan.rate_card)
        yield from self._price(f"{path}.price", plan.price)
        overage = plan.overage.price
        if overage is not None:
            yield from self._price(f"{path}.overage.price", overage, places=UNIT_PRICE_PLACES)
            if overage.currency != plan.price.currency:
                yield f"{path}.overage.price: must be in {plan.price.currency}, like the plan's price"
        if plan.overage.invoice_at is not None and (overage is None or not plan.overage.invoice_at.content):
            yield f"{path}.overage.invoice_at: must be more than 0, and overage must have a price"
        yield from _repeated(f"{path}.entitlements", "feature", [item.feature for item in plan.entitlements])
        for index, item in enumerate(plan.entitlements):
            yield from self._known(f"{path}.entitlements[{index}].feature", "features", item.feature)
            yield from self._known(f"{path}.entitlements[{index}].up_to", "tiers", item.up_to)
        yield from _repeated(f"{path}.fallbacks", "model", plan.fallbacks)
        for index, model in enumerate(plan.fallbacks):
            yield from self._known(f"{path}.fallbacks[{index}]", "models", model)
        yield from _repeated(f"{path}.limits", "key", [limit.key for limit in plan.limits])
        for index, limit in enumerate(plan.limits):
            yield from self._limit(f"{path}.limits[{index}]", limit)

    def _limit(self, path: str, limit: LimitSpec) -> Iterator[str]:
        yield from self._known(f"{path}.feature", "features", limit.feature)
        yield from self._known(f"{path}.tier", "tiers", limit.tier)
        if limit.feature is not None and limit.tier is not None:
            yield f"{path}: a limit covers a feature or a tier, not both"
        if fault := window_fault(limit.scope, limit.window):
            yield f"{path}.window: {fault}"
        scale = LIMIT_SCALES[limit.unit]
        scaled = limit.value.content * scale
        if scaled != scaled.to_integral_value():
            step = "whole" if scale == 1 else f"a whole multiple of 1/{scale}"
            yield f"{path}.value: {limit.unit} must be {step}"
        if scaled > MAX_AMOUNT:
            yield f"{path}.value: must be at most {MAX_AMOUNT // scale}"

    def _price(self, path: str, price: Price, *, places: int | None = None) -> Iterator[str]:
        if price.currency not in self.currencies:
            yield f"{path}: {price.currency} is not one of {', '.join(sorted(self.currencies))}"
            return
        kept = decimal_places(price.currency) if places is None else places
        if price.amount != round(price.amount, kept):
            yield f"{path}: has more than {kept} decimal places"
        most = 10 ** (MONEY_DIGITS - (places or PRICE_PLACES))
        if price.amount >= most:
            yield f"{path}: must be less than {most}"

    def _known(self, path: str, section: str, key: str | None) -> Iterator[str]:
        if key is not None and key not in getattr(self.whole, section):
            yield f"{path}: there is no {key!r} in {section}"


def model_names(catalogue: CatalogueSpec) -> list[ModelName]:
    """The families of a catalogue and how ids reach them."""
    return [
        ModelName(
            key,
            tuple(model.aliases),
            tuple(MatchRule("prefix", text) for text in model.prefixes)
            + tuple(MatchRule("regex", text) for text in model.patterns),
        )
        for key, model in catalogue.models.items()
    ]


def _repeated(path: str, what: str, values: list[Any]) -> Iterator[str]:
    for index, value in enumerate(values):
        if value in values[:index]:
            yield f"{path}[{index}]: the {what} {str(value)!r} is there already"
