"""What each kind of call comes to under a scenario: its feature, model, charge and cost. Pure.

Calls of one kind (same feature, model, plan, mode …) share everything but their tokens and their time, so
what can be known of them beforehand is worked out once.
"""

from bisect import bisect_right
from copy import copy
from datetime import datetime
from typing import Final

import msgspec

from kernel.usage import Usage
from margins.simulation.calls import KindKey, instant, microseconds
from margins.simulation.scenario import ModelMove, Scenario
from metering.costing import Call, CostCatalogue, Costed, Override, cost
from plans.catalogue import Catalogue
from plans.rating import Pricer, pricer
from plans.terms import FeatureTerms, ModelTerms, PlanTerms, RateCardTerms


class Candidates(msgspec.Struct, frozen=True, kw_only=True):
    """The scenario's candidates as terms."""

    scenario: Scenario
    plan: PlanTerms | None = None
    rate_card: RateCardTerms | None = None
    cost_cards: tuple[Override, ...] = ()
    """Those the scenario names, above the published ones."""
    published_cost_cards: tuple[Override, ...] = ()


class Kind(msgspec.Struct, kw_only=True, eq=False):
    """What is known of a kind of call beforehand.

    `keeps_charge` and `keeps_cost`: they are as they were stamped, nothing the scenario changes touches them.
    """

    feature: FeatureTerms | None
    feature_id: int
    plan: PlanTerms | None
    """Whose card charges it."""
    model: ModelTerms | None
    name: str
    """What its model is called when asked for."""
    provider: str | None
    reported_model: str
    processing: str | None
    region: str | None
    memoised: bool
    stated: bool
    moved: bool
    keeps_charge: bool
    keeps_cost: bool
    needs_counts: bool
    """Whether its tokens matter beyond their sum."""
    stamped_card: str
    pricer: Pricer | None = None
    """The row that charges it from `priced_from` up to `priced_until`, in microseconds since 1970."""
    priced_from: int = 0
    priced_until: int = 0


class Rules:
    """A scenario over a catalogue and a cost catalogue."""

    def __init__(self, catalogue: Catalogue, candidates: Candidates) -> None:
        scenario = self.scenario = candidates.scenario
        self._candidate = candidates.plan
        self._replaced = frozenset(scenario.instead_of or ([candidates.plan.plan_key] if candidates.plan else ()))
        self._card_id = candidates.rate_card.card_id if candidates.rate_card else None
        self.catalogue = _with(catalogue, candidates)
        self._features = {feature.id: feature for feature in catalogue.features.values()}
        cards = {card.card_id: card for card in (*candidates.published_cost_cards, *candidates.cost_cards)}
        self.costs = CostCatalogue(tuple(cards.values()))
        self._labels = frozenset(card.label for card in candidates.cost_cards)
        self._kinds: dict[KindKey, Kind] = {}

    def plan_of(self, plan_version_id: int, currency: str) -> PlanTerms | None:
        """The plan a subscriber of a version is on in the scenario."""
        real = self.catalogue.plans.get(plan_version_id)
        candidate = self._candidate
        if real is None or candidate is None or candidate.currency != currency:
            return real
        return candidate if real.plan_key in self._replaced else real

    def kind(self, key: KindKey, currency: str) -> Kind:
        """What is known of calls of this kind by a customer who pays in this currency."""
        feature_id, plan_version_id, name, reported, provider, processing, region, memoised, stated, told, card = key
        feature = self._features.get(feature_id)
        was = self.catalogue.models.get(name) or (
            self.catalogue.resolve_model(reported, provider) if reported else None
        )
        move = self._move(was, name, feature)
        model = was if move is None else self.catalogue.models[move.target]
        plan = self.plan_of(plan_version_id, currency)
        same_plan = plan is None or plan.id == plan_version_id
        same_card = plan is None or plan.rate_card_id != self._card_id
        keeps_charge = stated or (move is None and same_plan and same_card)
        keeps_cost = memoised or not reported or (move is None and (told or not self._labels))
        return Kind(
            feature=feature,
            feature_id=feature_id,
            plan=plan,
            model=model,
            name=model.key if model is not None else name,
            provider=(provider or None) if move is None or model is None else model.provider,
            reported_model=reported if move is None or model is None else model.key,
            processing=processing or None,
            region=region or None,
            memoised=memoised,
            stated=stated,
            moved=move is not None,
            keeps_charge=keeps_charge,
            keeps_cost=keeps_cost,
            needs_counts=not (keeps_charge and keeps_cost),
            stamped_card=card,
        )

    def price(
        self, kind: Kind, usage: Usage, at: int, charged: int | None, cost: int | None
    ) -> tuple[int | None, int | None]:
        """A call's charge (microcredits) and cost (nano-USD), from the stamped ones; None where nobody knows one.

        `at` is in microseconds since 1970.
        """
        if not kind.keeps_charge:
            if not kind.priced_from <= at < kind.priced_until:
                self._find_pricer(kind, at)
            charged = None if kind.pricer is None else kind.pricer.microcredits(usage)
        if not kind.keeps_cost:
            cost = self._cost(kind, usage, instant(at), cost)
        return charged, cost

    def _cost(self, kind: Kind, usage: Usage, at: datetime, stamped: int | None) -> int | None:
        rates = self.costs.rates(Call(kind.provider, kind.reported_model, at, kind.processing, kind.region))
        if not kind.moved and (
            rates is None or rates.cost_card not in self._labels or rates.cost_card == kind.stamped_card
        ):
            return stamped
        return None if rates is None else cost(usage, rates)

    def cost_on(self, model: ModelTerms, usage: Usage, at: datetime, kind: Kind) -> Costed:
        """What the call would have cost on another model."""
        return self.costs.cost(usage, Call(model.provider, model.key, at, kind.processing, kind.region))

    def _find_pricer(self, kind: Kind, at: int) -> None:
        """Find the row that prices the kind at an instant, and as long as its card's version holds."""
        versions = self.catalogue.rate_cards.get(kind.plan.rate_card_id, ()) if kind.plan else ()
        bounds = [0, *(microseconds(version.effective_from) for version in versions), _FOREVER]
        place = bisect_right(bounds, at, hi=len(bounds) - 1)
        kind.priced_from, kind.priced_until = bounds[place - 1], bounds[place]
        kind.pricer = None if place == 1 else pricer(versions[place - 2], kind.feature_id, kind.model)

    def _move(self, was: ModelTerms | None, name: str, feature: FeatureTerms | None) -> ModelMove | None:
        key = was.key if was is not None else name
        for move in self.scenario.moves:
            of_feature = move.feature is None or (feature is not None and feature.key == move.feature)
            if move.source == key and move.target != key and of_feature:
                return move
        return None


def _with(catalogue: Catalogue, candidates: Candidates) -> Catalogue:
    """The catalogue as if the candidates had been published: the rate card from the beginning of time."""
    changed = copy(catalogue)
    if candidates.plan is not None:
        changed.plans = {**catalogue.plans, candidates.plan.id: candidates.plan}
    if candidates.rate_card is not None:
        always = msgspec.structs.replace(candidates.rate_card, effective_from=_BEGINNING)
        changed.rate_cards = {**catalogue.rate_cards, always.card_id: (always,)}
    return changed


_FOREVER: Final = 1 << 62
_BEGINNING: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
