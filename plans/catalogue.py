"""Everything that is sold, in memory: what the gate decides from, and how it is loaded.

A process keeps one `Catalogue` and loads another when the revision moved (`cache_revision`, raised
by triggers in the transaction of every change). The whole catalogue is one statement, so its parts
and its revision are of the same snapshot whatever the transaction's isolation.
"""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from plans.model_names import ModelName, ModelNames
from plans.terms import FeatureTerms, ModelTerms, PlanTerms, RateCardTerms, TierTerms

LOAD_SQL: Final = (Path(__file__).parent / "sql" / "load_catalogue.sql").read_text()
REVISION_SQL: Final = "SELECT revision FROM cache_revision"


class Cursor(Protocol):
    """As much of a DB-API cursor as loading needs."""

    def execute(self, sql: Any, /) -> Any: ...
    def fetchone(self) -> Any: ...


class Catalogue:
    """What is sold at one revision. Never changed after it is built.

    `plans` holds published and retired versions by version id; `rate_cards` the published versions
    of each card by card id, oldest first.
    """

    def __init__(
        self,
        *,
        revision: int = 0,
        features: Iterable[FeatureTerms] = (),
        tiers: Iterable[TierTerms] = (),
        models: Iterable[ModelTerms] = (),
        plans: Iterable[PlanTerms] = (),
        rate_cards: Iterable[RateCardTerms] = (),
        names: Iterable[ModelName] | None = None,
    ) -> None:
        self.revision = revision
        self.features = {feature.key: feature for feature in features}
        self.features_by_id = {feature.id: feature for feature in self.features.values()}
        self.tiers = {tier.key: tier for tier in tiers}
        self.models = {model.key: model for model in models}
        self.plans = {plan.id: plan for plan in plans}
        by_card: dict[int, list[RateCardTerms]] = {}
        for version in sorted(rate_cards, key=lambda card: card.effective_from):
            by_card.setdefault(version.card_id, []).append(version)
        self.rate_cards = {card_id: tuple(versions) for card_id, versions in by_card.items()}
        self._names = ModelNames([ModelName(key) for key in self.models] if names is None else names)

    def resolve_model(self, reported: str, provider: str = "") -> ModelTerms | None:
        """The family a reported model id belongs to (plans/model_names.py), or None when nobody knows it."""
        key = self._names.resolve(reported, provider)
        return None if key is None else self.models.get(key)

    def rate_card(self, card_id: int, at: datetime) -> RateCardTerms | None:
        """The version of the card in force at an instant: the latest with `effective_from` ≤ `at`."""
        versions = self.rate_cards.get(card_id, ())
        place = bisect_right(versions, at, key=lambda version: version.effective_from)
        return versions[place - 1] if place else None


class _Snapshot(msgspec.Struct):
    """The one row load_catalogue.sql answers."""

    revision: int
    features: list[FeatureTerms]
    tiers: list[TierTerms]
    models: list[ModelTerms]
    names: list[ModelName]
    rate_cards: list[RateCardTerms]
    plans: list[PlanTerms]


def load(cursor: Cursor) -> Catalogue:
    """Read the catalogue: one statement, one snapshot."""
    cursor.execute(LOAD_SQL)
    (text,) = cursor.fetchone()
    return from_json(text)


def from_json(text: str) -> Catalogue:
    """The catalogue in the one value LOAD_SQL answers, for a reader with its own way to run it."""
    snapshot = msgspec.json.decode(text, type=_Snapshot)
    return Catalogue(
        revision=snapshot.revision,
        features=snapshot.features,
        tiers=snapshot.tiers,
        models=snapshot.models,
        plans=snapshot.plans,
        rate_cards=snapshot.rate_cards,
        names=snapshot.names,
    )
