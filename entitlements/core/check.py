"""May this customer do this action on this model now? One pure answer, with its reason and its remedy.

The order of the reasons is fixed: no entitlement, then the model's tier, then limits, then the
balance. (An unknown customer never gets here.)
"""

from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

import msgspec

from entitlements.core.account import Account
from entitlements.core.pricing import charge_for
from entitlements.core.record import FeatureUnknown, overage_room
from kernel.usage import Usage
from plans.catalogue import Catalogue
from plans.terms import EntitlementTerms, FeatureTerms, ModelTerms, PlanTerms

Decision = Literal["allow", "downgrade", "deny"]

_SOME_TOKENS: Final = Usage(input_tokens=1_000_000, output_tokens=1_000_000)


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A check, parsed. `estimate` is microcredits, or the counts the call may reach, or nothing."""

    feature: str
    model: str = ""
    user_key: str = ""
    run_key: str = ""
    estimate: int | Usage | None = None


class Limiting(msgspec.Struct, frozen=True):
    """What said no. For the balance, `used` is what is posted and spoken for, `value` what is posted."""

    limit: str
    scope: str
    used: int
    value: int
    resets_at: datetime | None


class Remedy(msgspec.Struct, frozen=True, omit_defaults=True):
    """What would turn the answer into an allow."""

    upgrade_to: str | None = None
    model: str | None = None


class Caution(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something the caller should know although the answer is yes."""

    code: str
    detail: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A decision. `needed_microcredits` is the estimate priced for `model`."""

    decision: Decision
    reason: str
    model: str | None
    needed_microcredits: int | None
    limiting: Limiting | None = None
    remedy: Remedy | None = None
    warnings: tuple[Caution, ...] = ()


class _Right(msgspec.Struct, frozen=True):
    """What the customer may do with the feature: their own entitlement, else the plan's."""

    max_rank: int | None
    at_limit: str


def check(account: Account, question: Question, catalogue: Catalogue, now: datetime) -> Answer:
    """Decide. The account must have been brought up to date to `now`. Raises FeatureUnknown."""
    feature = catalogue.features.get(question.feature)
    if feature is None:
        raise FeatureUnknown(f"no feature has the key {question.feature!r}", field="feature")
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
    asked = catalogue.resolve_model(question.model) if question.model else None
    case = _Case(
        account=account, question=question, catalogue=catalogue, feature=feature, plan=plan, right=right, now=now
    )
    if question.model and asked is None and plan is not None and plan.unpriced == "deny":
        return case.deny("model_unpriced", None)
    if asked is not None and not case.tier_allows(asked):
        return case.fall_back("model_tier_not_allowed", asked)
    if feature.kind != "metered":
        return Answer(decision="allow", reason="entitled", model=case.name(asked), needed_microcredits=0)
    return case.within_balance(asked)


class _Case(msgspec.Struct, frozen=True, kw_only=True):
    """One check and everything it is decided from."""

    account: Account
    question: Question
    catalogue: Catalogue
    feature: FeatureTerms
    plan: PlanTerms | None
    right: _Right
    now: datetime

    def name(self, model: ModelTerms | None) -> str | None:
        """The model to call. An allowed model keeps the name it was asked by."""
        return self.question.model or (model.key if model else None)

    def tier_allows(self, model: ModelTerms) -> bool:
        return self.right.max_rank is None or model.tier_rank <= self.right.max_rank

    def needed(self, model: ModelTerms | None) -> int | None:
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

    def affords(self, needed: int | None) -> bool:
        return self.account.available >= (needed or 0)

    def within_balance(self, asked: ModelTerms | None) -> Answer:
        needed = self.needed(asked)
        warnings = self._warnings(asked, needed)
        if self.affords(needed):
            return Answer(
                decision="allow",
                reason="entitled",
                model=self.name(asked),
                needed_microcredits=needed,
                warnings=warnings,
            )
        missing = (needed or 0) - max(0, self.account.available)
        if self.account.debt == 0 and missing <= overage_room(self.account, self.plan, self.feature.id):
            return Answer(
                decision="allow",
                reason="overage",
                model=self.name(asked),
                needed_microcredits=needed,
                warnings=(*warnings, Caution("overage", "the credits are used up; this call is overage")),
            )
        if self.right.at_limit == "downgrade":
            return self.fall_back("insufficient_credits", asked)
        return self.deny("insufficient_credits", needed)

    def fall_back(self, reason: str, asked: ModelTerms | None) -> Answer:
        """The first model of the plan's chain that is allowed and affordable, at its own rate; else the refusal."""
        for model in self.plan.fallbacks if self.plan else ():
            if not self.tier_allows(model) or (asked is not None and model.id == asked.id):
                continue
            needed = self.needed(model)
            if isinstance(self.question.estimate, int) and reason == "insufficient_credits":
                continue  # The caller's own figure does not get cheaper with the model.
            if self.affords(needed):
                return Answer(decision="downgrade", reason=reason, model=model.key, needed_microcredits=needed)
        return self.deny(reason, self.needed(asked), asked)

    def deny(self, reason: str, needed: int | None, asked: ModelTerms | None = None) -> Answer:
        limiting = remedy = None
        if reason == "insufficient_credits":
            limiting = Limiting(
                limit="balance",
                scope="customer",
                used=self.account.held + self.account.debt,
                value=self.account.posted,
                resets_at=self.account.allowance_end,
            )
            remedy = _remedy(upgrade_to=_upgrade(self.catalogue, self.plan, self.feature, rank=None))
        elif asked is not None:
            remedy = _remedy(
                upgrade_to=_upgrade(self.catalogue, self.plan, self.feature, rank=asked.tier_rank),
                model=next((model.key for model in self.plan.fallbacks if self.tier_allows(model)), None)
                if self.plan
                else None,
            )
        return Answer(
            decision="deny",
            reason=reason,
            model=self.question.model or None,
            needed_microcredits=needed,
            limiting=limiting,
            remedy=remedy,
        )

    def _warnings(self, asked: ModelTerms | None, needed: int | None) -> tuple[Caution, ...]:
        warnings: list[Caution] = []
        if self.question.model and asked is None:
            warnings.append(
                Caution("model_unknown", f"{self.question.model!r} is not in the catalogue: it has no tier")
            )
        if needed is None:
            warnings.append(Caution("unrated", "no rate matches this action: it will be recorded without a charge"))
        return tuple(warnings)


def _right(account: Account, plan: PlanTerms | None, feature: FeatureTerms) -> _Right | None:
    own = account.own_entitlements.get(feature.id)
    if own is not None:
        return _Right(own.max_rank, own.at_limit) if own.allowed else None
    terms: EntitlementTerms | None = plan.entitlements.get(feature.id) if plan else None
    return None if terms is None else _Right(terms.max_rank, terms.at_limit)


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
