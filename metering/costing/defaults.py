"""The default catalogue: genai-prices, pinned, offline, read into exact prices. Gaps are filled in corrections.yaml."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from fractions import Fraction
from importlib.metadata import version
from typing import Final

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import (
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from metering.costing.rates import REQUESTS, Steps, flat, scaled

LABEL: Final = f"genai-prices/{version('genai-prices')}"

_MILLION: Final = 1_000_000
_THOUSAND: Final = 1_000
_HOUR_MS: Final = 3_600_000

UNITS: Final[Mapping[str, tuple[str, int]]] = {
    "input_mtok": ("input_tokens", _MILLION),
    "cache_read_mtok": ("cache_read_tokens", _MILLION),
    "cache_write_mtok": ("cache_write_5m_tokens", _MILLION),
    "cache_write_5m_mtok": ("cache_write_5m_tokens", _MILLION),
    "cache_write_1h_mtok": ("cache_write_1h_tokens", _MILLION),
    "input_audio_mtok": ("input_audio_tokens", _MILLION),
    "cache_audio_read_mtok": ("cache_read_audio_tokens", _MILLION),
    "input_image_mtok": ("input_image_tokens", _MILLION),
    "cache_image_read_mtok": ("cache_read_image_tokens", _MILLION),
    "input_video_mtok": ("input_video_tokens", _MILLION),
    "output_mtok": ("output_tokens", _MILLION),
    "output_reasoning_mtok": ("reasoning_tokens", _MILLION),
    "output_audio_mtok": ("output_audio_tokens", _MILLION),
    "output_image_mtok": ("output_image_tokens", _MILLION),
    "web_searches_kcount": ("web_searches", _THOUSAND),
    "rerank_searches_kcount": ("rerank_searches", _THOUSAND),
    "audio_hours": ("audio_milliseconds", _HOUR_MS),
    "input_audio_hours": ("audio_milliseconds", _HOUR_MS),
    "input_mchars": ("input_characters", _MILLION),
    "input_document_kpages": ("document_pages", _THOUSAND),
    "requests_kcount": (REQUESTS, _THOUSAND),
}
"""The catalogue's price keys as our kinds, and how many units one price buys. Keys for things no usage body
counts (stored files, annotated pages, output video) have no kind and are left out."""

FREE: Final[Mapping[str, Steps]] = {"input_tokens": flat(Fraction(0)), "output_tokens": flat(Fraction(0))}
"""A model listed with an empty price list is given away (moderation, :free): zero is its price."""


def providers() -> list[Provider]:
    """Every provider of the installed snapshot. Never updated in a running process."""
    return get_snapshot().providers


class DefaultPrices:
    """One catalogued model's prices over time."""

    def __init__(self, model: ModelInfo) -> None:
        self._model = model
        self._variants = tuple(model.price_variants or ())

    def standard(self, at: datetime) -> dict[str, Steps]:
        """The prices of ordinary calls at an instant."""
        return _prices(self._model.get_prices(at))

    def processed(self, mode: str, at: datetime, standard: Mapping[str, Steps]) -> dict[str, Steps] | None:
        """The prices of calls in a mode, on top of that instant's standard ones; None if none is listed.

        Modes are listed from the day somebody checked them (2026-10-12 and later), not from the day they
        were offered. Before that day a mode keeps the proportion it then had to the standard price.
        """
        context = {"processing": mode, "service_tier": mode, "speed": mode}
        offered = [variant for variant in self._variants if all(context.get(k) == v for k, v in variant.when.items())]
        if not offered:
            return None
        active = any(variant.constraint is None or variant.constraint.active(at) for variant in offered)
        checked_at = at if active else min(_start(variant) for variant in offered)
        plain = self.standard(checked_at)
        listed = _prices(self._model.get_prices(checked_at, context))
        changed = {kind: steps for kind, steps in listed.items() if steps != plain.get(kind)}
        if not active:
            changed = {
                kind: _in_proportion(steps, plain.get(kind), standard.get(kind)) for kind, steps in changed.items()
            }
        return {**standard, **changed}

    def instants(self) -> Iterator[datetime]:
        """When prices change, apart from the daily windows."""
        for constraint in self._constraints():
            if isinstance(constraint, StartDateConstraint):
                yield datetime.combine(constraint.start_date, time(), UTC)

    def times_of_day(self) -> Iterator[time]:
        """When prices change every day (UTC)."""
        for constraint in self._constraints():
            if isinstance(constraint, TimeOfDateConstraint):
                for bound in (constraint.start_time, constraint.end_time):
                    yield _utc(bound)

    def _constraints(self) -> Iterator[StartDateConstraint | TimeOfDateConstraint]:
        dated: list[ConditionalPrice | PriceVariant] = [*self._variants]
        if not isinstance(self._model.prices, ModelPrice):
            dated += self._model.prices
        for one in dated:
            if one.constraint is not None:
                yield one.constraint


def _prices(listed: ModelPrice) -> dict[str, Steps]:
    found: dict[str, Steps] = {}
    for key, price in vars(listed).items():
        if key not in UNITS or price is None:
            continue
        kind, units = UNITS[key]
        if isinstance(price, TieredPrices):
            steps = [(0, price.base), *((tier.start, tier.price) for tier in price.tiers)]
        else:
            steps = [(0, price)]
        found[kind] = tuple((above, Fraction(usd) * 1_000_000_000 / units) for above, usd in steps)
    return found or dict(FREE)


def _start(variant: PriceVariant) -> datetime:
    if isinstance(variant.constraint, StartDateConstraint):
        return datetime.combine(variant.constraint.start_date, time(), UTC)
    return datetime.max.replace(tzinfo=UTC)


def _in_proportion(listed: Steps, ordinary: Steps | None, now: Steps | None) -> Steps:
    """What `listed` is to `ordinary`, applied to the price `now`. The same ordinary price then and now: as listed."""
    if ordinary is None or now is None or now == ordinary or not ordinary[0][1]:
        return listed
    factor = listed[0][1] / ordinary[0][1]
    return scaled({"": now}, factor, frozenset({""}))[""]


def _utc(bound: time) -> time:
    if bound.tzinfo is None:
        return bound
    return datetime.combine(datetime(2000, 1, 1, tzinfo=UTC).date(), bound).astimezone(UTC).time()
