"""May this customer do this action on this model now? One pure answer, with its reason and its remedy.

The order of the reasons is fixed: no entitlement, an overdue payment, the model's tier, limits and run budgets (the
narrowest scope first), the balance, the margin guard. (An unknown customer never gets here.)
"""

from datetime import datetime
from decimal import Decimal
from typing import Final, Literal
from uuid import UUID

import msgspec

from entitlements.core import margin_guard, runs
from entitlements.core.account import Account, OwnEntitlement, RunState
from entitlements.core.limits import Draw, Exceeded, Limiting, Shared, Use, exceeded, tier_of
from entitlements.core.pricing import CostSource, charge_for
from entitlements.core.record import overage_room
from entitlements.core.standing import Standing, standing
from kernel.usage import Usage
from metering.costing import Call
from plans.catalogue import Catalogue
from plans.problems import FeatureUnknown
from plans.terms import EntitlementTerms, FeatureTerms, LimitTerms, ModelTerms, PlanTerms

Decision = Literal["allow", "downgrade", "deny"]

_SOME_TOKENS: Final = Usage(input_tokens=1_000_000, output_tokens=1_000_000)


class HoldWanted(msgspec.Struct, frozen=True):
    """A hold to place if the answer is yes."""

    key: str
    key_digest: UUID
    body_digest: UUID
    ttl_seconds: int


class Question(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A check, parsed. `estimate` is microcredits, or the counts the call may reach, or nothing."""

    feature: str
    model: str = ""
    user_key: str = ""
    run_key: str = ""
    estimate: int | Usage | None = None
    hold: HoldWanted | None = None


class Remedy(msgspec.Struct, frozen=True, omit_defaults=True):
    """What would turn the answer into an allow."""

    upgrade_to: str | None = None
    model: str | None = None


class Caution(msgspec.Struct, frozen=True):
    """Something the caller should know although the answer is yes."""

    code: str
    detail: str


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A decision. `needed_microcredits` is the estimate priced for `model`; None where nothing rates it."""

    decision: Decision
    reason: str
    model: str | None
    needed_microcredits: int | None
    limiting: Limiting | None = None
    remedy: Remedy | None = None
    warnings: tuple[Caution, ...] = ()


_Right = OwnEntitlement | EntitlementTerms
"""What the customer may do with the feature: their own entitlement, else the plan's."""


class _Refusal(msgspec.Struct, frozen=True):
    reason: str
    limiting: Limiting


def check(
    account: Account, question: Question, catalogue: Catalogue, costs: CostSource, now: datetime, shared: Shared
) -> Answer:
    """Decide. The account must have been brought up to date to `now`. Raises FeatureUnknown, RunUnknown."""
    feature = catalogue.features.get(question.feature)
    if feature is None:
        raise FeatureUnknown(f"no feature has the key {question.feature!r}", field="feature")
    run = runs.find(account, question.run_key) if question.run_key else None
    plan = catalogue.plans.get(account.plan_version_id or 0)
    right = _right(account, plan, feature)
    if right is None:
        return Answer(
            decision="deny",
            reason="not_entitled",
            model=question.model or None,
            needed_microcredits=None,
            remedy=_remedy(upgrade_to=_upgrade(catalogue, plan, feature, rank=None)),
        )
    its_standing = standing(account, plan, now)
    if its_standing == "block":
        return Answer(decision="deny", reason="payment_overdue", model=question.model or None, needed_microcredits=None)
    case = _Case(
        account=account,
        question=question,
        catalogue=catalogue,
        costs=costs,
        shared=shared,
        feature=feature,
        plan=plan,
        right=right,
        run=run,
        now=now,
        standing=its_standing,
    )
    asked = catalogue.resolve_model(question.model) if question.model else None
    return case.answer(asked)


class _Case(msgspec.Struct, frozen=True, kw_only=True):
    """One check and everything it is decided from."""

    account: Account
    question: Question
    catalogue: Catalogue
    costs: CostSource
    shared: Shared
    feature: FeatureTerms
    plan: PlanTerms | None
    right: _Right
    run: RunState | None
    now: datetime
    standing: Standing

    def answer(self, asked: ModelTerms | None) -> Answer:
        if self.question.model and asked is None and self.plan is not None and self.plan.unpriced == "deny":
            return self._deny("model_unpriced", None)
        if asked is not None and not self._tier_allows(asked):
            return self._fall_back("model_tier_not_allowed", asked, None)
        metered = self.feature.kind == "metered"
        needed = self._needed(asked) if metered else 0
        cost = self._cost(asked)
        hits = self._hits(asked, needed, cost)
        refusal = self._refusal(hits, needed, cost)
        if refusal is not None:
            if self.right.at_limit == "downgrade" and self.plan is not None:
                return self._fall_back(refusal.reason, asked, refusal.limiting)
            return self._deny(refusal.reason, needed, limiting=refusal.limiting)
        warnings = self._warnings(asked, needed, hits)
        if not metered or self._affords(needed):
            return self._guarded(asked, self._allow("entitled", asked, needed, warnings))
        missing = (needed or 0) - max(0, self.account.available)
        if self.standing == "soft_limit" and self.right.at_limit == "overage":
            return self._deny("payment_overdue", needed, limiting=self._balance_limiting())
        if self.account.debt == 0 and missing <= overage_room(self.account, self.plan, self.feature.id):
            over = Caution("overage", "the credits are used up; this call is overage")
            return self._guarded(asked, self._allow("overage", asked, needed, (*warnings, over)))
        if self.right.at_limit == "downgrade":
            return self._fall_back("insufficient_credits", asked, self._balance_limiting())
        return self._deny("insufficient_credits", needed, limiting=self._balance_limiting())

    def _allow(
        self, reason: str, asked: ModelTerms | None, needed: int | None, warnings: tuple[Caution, ...]
    ) -> Answer:
        # An allowed model keeps the name it was asked by.
        model = self.question.model or (asked.key if asked else None)
        return Answer(decision="allow", reason=reason, model=model, needed_microcredits=needed, warnings=warnings)

    def _fall_back(self, reason: str, asked: ModelTerms | None, limiting: Limiting | None) -> Answer:
        """The first model of the plan's chain that everything allows, at its own rate; else the refusal."""
        for model in self.plan.fallbacks if self.plan else ():
            if not self._tier_allows(model) or (asked is not None and model.id == asked.id):
                continue
            if isinstance(self.question.estimate, int) and reason == "insufficient_credits":
                continue  # The caller's own figure does not get cheaper with the model.
            answer = self._downgrade(model, reason, limiting)
            if answer is not None:
                return self._guarded(model, answer)
        return self._deny(reason, self._needed(asked), asked=asked, limiting=limiting)

    def _downgrade(self, model: ModelTerms, reason: str, limiting: Limiting | None) -> Answer | None:
        """The call on a model of the plan's chain, if everything allows that."""
        needed, cost = self._needed(model), self._cost(model)
        hits = self._hits(model, needed, cost)
        if self._refusal(hits, needed, cost) is not None or not self._affords(needed):
            return None
        return Answer(
            decision="downgrade",
            reason=reason,
            model=model.key,
            needed_microcredits=needed,
            limiting=limiting,
            warnings=self._warnings(model, needed, hits),
        )

    def _guarded(self, model: ModelTerms | None, answer: Answer) -> Answer:
        """The answer, unless the customer's margin is below a floor that asks for a cheaper model or none.

        Where there is none cheaper the call passes with a warning: a stop is what a floor that denies is for.
        """
        found = margin_guard.below(self.account.margin, self.account.period_start, self.now)
        if found is None or self.feature.kind != "metered":
            return answer
        if not found.acts:
            stale = Caution("margin_figure_stale", "the margin is below a floor by a figure too old to act on")
            return msgspec.structs.replace(answer, warnings=(*answer.warnings, stale))
        if found.floor.action == "deny":
            return self._deny("margin_guard", answer.needed_microcredits, limiting=found.limiting())
        if found.floor.action == "downgrade" and answer.decision == "allow" and self.question.model:
            chain = margin_guard.cheaper(model, self.plan.fallbacks if self.plan else ())
            for cheaper in filter(self._tier_allows, chain):
                lower = self._downgrade(cheaper, "margin_guard", found.limiting())
                if lower is not None:
                    return lower
        low = Caution("margin_guard", "the projected margin of this period is below a floor")
        return msgspec.structs.replace(answer, warnings=(*answer.warnings, low))

    def _deny(
        self,
        reason: str,
        needed: int | None,
        *,
        asked: ModelTerms | None = None,
        limiting: Limiting | None = None,
    ) -> Answer:
        remedy = None
        if reason == "model_tier_not_allowed" and asked is not None:
            chain = self.plan.fallbacks if self.plan else ()
            remedy = _remedy(
                upgrade_to=_upgrade(self.catalogue, self.plan, self.feature, rank=asked.tier_rank),
                model=next((model.key for model in chain if self._tier_allows(model)), None),
            )
        elif reason in ("insufficient_credits", "limit_reached", "margin_guard"):
            remedy = _remedy(upgrade_to=_upgrade(self.catalogue, self.plan, self.feature, rank=None))
        return Answer(
            decision="deny",
            reason=reason,
            model=self.question.model or None,
            needed_microcredits=needed,
            limiting=limiting,
            remedy=remedy,
        )

    def _tier_allows(self, model: ModelTerms) -> bool:
        return self.right.max_rank is None or model.tier_rank <= self.right.max_rank

    def _hits(self, model: ModelTerms | None, needed: int | None, cost: int | None) -> tuple[Exceeded, ...]:
        """The limits, hard and soft, that the call would exceed."""
        run_id = self.run.id if self.run else None
        use = Use(self.feature.id, tier_of(model), self.question.user_key, run_id)
        draw = Draw(1, needed or 0, cost, self._tokens())
        return tuple(exceeded(self.account, self._limits, use, draw, self.now, self.shared))

    def _refusal(self, hits: tuple[Exceeded, ...], needed: int | None, cost: int | None) -> _Refusal | None:
        """What says no besides the balance: a run around the call, or a hard limit."""
        if self.run is not None:
            refused = runs.refusal(self.account, self.run, microcredits=needed, cost_nanousd=cost, now=self.now)
            if refused is not None:
                return _Refusal(*refused)
        for hit in hits:
            if hit.limit.kind == "hard":
                return _Refusal("limit_reached", hit.limiting())
        return None

    @property
    def _limits(self) -> tuple[LimitTerms, ...]:
        return self.plan.limits if self.plan else ()

    def _tokens(self) -> int | None:
        """The tokens the call may take; None where that is not known beforehand."""
        estimate = self.question.estimate
        if isinstance(estimate, Usage):
            return estimate.input_tokens + estimate.output_tokens
        return None if self.question.model else 0

    def _cost(self, model: ModelTerms | None) -> int | None:
        """The supplier cost of the estimate in nano-USD; None where it is not known beforehand."""
        if not self.question.model:
            return 0
        estimate = self.question.estimate
        if not isinstance(estimate, Usage) or not self._cost_matters:
            return None
        name = model.key if model else self.question.model
        return self.costs.cost(estimate, Call(model.provider if model else None, name, self.now)).nanousd

    @property
    def _cost_matters(self) -> bool:
        """Whether anything here is counted in money: pricing an estimate for nobody would be waste."""
        return self.run is not None or any(limit.unit == "cost" for limit in self._limits)

    def _needed(self, model: ModelTerms | None) -> int | None:
        """Microcredits the estimate comes to on `model`; None when nothing rates it."""
        estimate = self.question.estimate
        if isinstance(estimate, int):
            return estimate
        needed = self._charge(model, estimate or Usage())
        if estimate is None and needed == 0 and self._charge(model, _SOME_TOKENS):
            # No estimate, but tokens will be charged for: with nothing left the answer is no.
            return 1
        return needed

    def _charge(self, model: ModelTerms | None, usage: Usage) -> int | None:
        charge = charge_for(
            self.catalogue, self.plan, feature_id=self.feature.id, model=model, usage=usage, at=self.now
        )
        return None if charge is None else charge.microcredits

    def _affords(self, needed: int | None) -> bool:
        return self.account.available >= (needed or 0)

    def _balance_limiting(self) -> Limiting:
        account = self.account
        return Limiting(
            limit="balance",
            scope="customer",
            unit="credits",
            used=account.held + account.debt,
            value=account.posted,
            resets_at=account.allowance_end,
        )

    def _warnings(
        self, model: ModelTerms | None, needed: int | None, hits: tuple[Exceeded, ...]
    ) -> tuple[Caution, ...]:
        warnings: list[Caution] = []
        if self.standing != "good":
            warnings.append(Caution("payment_overdue", "a payment of the customer's is overdue"))
        if self.question.model and model is None:
            detail = f"{self.question.model!r} is not in the catalogue: it has no tier"
            warnings.append(Caution("model_unknown", detail))
        if needed is None:
            warnings.append(Caution("unrated", "no rate matches this action: it will be recorded without a charge"))
        warnings += (
            Caution("soft_limit", f"the soft limit {hit.limit.key!r} is exceeded")
            for hit in hits
            if hit.limit.kind == "soft"
        )
        return tuple(warnings)


def _right(account: Account, plan: PlanTerms | None, feature: FeatureTerms) -> _Right | None:
    own = account.own_entitlements.get(feature.id)
    if own is not None:
        return own if own.allowed else None
    return plan.entitlements.get(feature.id) if plan else None


def _remedy(*, upgrade_to: str | None = None, model: str | None = None) -> Remedy | None:
    return Remedy(upgrade_to, model) if upgrade_to or model else None


def _upgrade(catalogue: Catalogue, current: PlanTerms | None, feature: FeatureTerms, *, rank: int | None) -> str | None:
    """The cheapest published plan, dearer than the current one, that has the feature up to the wanted tier."""
    candidates = [
        plan
        for plan in catalogue.plans.values()
        if plan.status == "published"
        and (current is None or (plan.currency == current.currency and plan.plan_key != current.plan_key))
        and (right := plan.entitlements.get(feature.id)) is not None
        and (rank is None or right.max_rank is None or right.max_rank >= rank)
        and (current is None or Decimal(plan.price) > Decimal(current.price))
    ]
    cheapest = min(candidates, key=lambda plan: (Decimal(plan.price), plan.plan_key), default=None)
    return None if cheapest is None else cheapest.plan_key
