"""What a plan's customers may do, and what each way of doing it is charged and costs. Pure."""

from collections.abc import Iterator
from fractions import Fraction

from kernel.usage import Usage
from margins.cost_lines import UsageTotals, usage_cost_femto
from margins.plan_audit.terms import CallFigures, Offer, Option
from margins.units import FEMTO_PER_NANO
from metering.costing import Call
from plans.rating import pricer
from plans.terms import EntitlementTerms, FeatureTerms, LimitTerms, ModelTerms


def options(offer: Offer) -> tuple[Option, ...]:
    """Every metered feature on every model of the catalogue within its tier, fallbacks among them."""
    models = sorted(offer.catalogue.models.values(), key=lambda model: (model.tier_rank, model.key))
    return tuple(
        _option(offer, feature, entitlement, model)
        for feature, entitlement in metered(offer)
        for model in models
        if entitlement.max_rank is None or model.tier_rank <= entitlement.max_rank
    )


def metered(offer: Offer) -> Iterator[tuple[FeatureTerms, EntitlementTerms]]:
    """The features of the plan that cost credits."""
    for entitlement in offer.plan.entitlements.values():
        feature = offer.catalogue.features_by_id[entitlement.feature_id]
        if feature.kind == "metered":
            yield feature, entitlement


def covers(limit: LimitTerms, option: Option) -> bool:
    """Whether the limit counts the option's calls."""
    return limit.feature_id in (None, option.feature.id) and limit.tier_id in (None, option.model.tier_id)


def _option(offer: Offer, feature: FeatureTerms, entitlement: EntitlementTerms, model: ModelTerms) -> Option:
    card = offer.card
    usual = offer.typical.get((feature.id, model.key), offer.assumed.typical)
    most_in, most_out = offer.assumed.largest_input_tokens, offer.assumed.largest_output_tokens
    extremes = (
        usual,
        Usage(input_tokens=most_in),
        Usage(output_tokens=most_out),
        Usage(input_tokens=most_in, output_tokens=most_out),
    )
    option = Option(
        feature=feature,
        model=model,
        overage=entitlement.at_limit == "overage",
        rated=card is not None and pricer(card, feature.id, model) is not None,
        typical=_figures(offer, feature, model, usual),
        extremes=(),
    )
    draws = [
        limit
        for limit in offer.plan.limits
        if limit.window == "draw" and limit.kind == "hard" and covers(limit, option)
    ]
    within = (_within(offer, option, usage, draws) for usage in extremes)
    return Option(
        feature, model, option.overage, option.rated, option.typical, tuple(figures for figures in within if figures)
    )


def _within(offer: Offer, option: Option, usage: Usage, draws: list[LimitTerms]) -> CallFigures | None:
    """The call, made smaller in proportion until every limit of one draw lets it pass; None when none is priced."""
    figures = _figures(offer, option.feature, option.model, usage)
    if figures is None:
        return None
    share = min((Fraction(limit.value) / taken for limit in draws if (taken := amount(limit, figures))), default=1)
    if share >= 1:
        return figures
    smaller = Usage(
        input_tokens=int(usage.input_tokens * share),
        cache_read_tokens=int(usage.cache_read_tokens * share),
        output_tokens=int(usage.output_tokens * share),
    )
    return _figures(offer, option.feature, option.model, smaller)


def amount(limit: LimitTerms, figures: CallFigures) -> Fraction:
    """How much of the limit's unit one such call takes."""
    match limit.unit:
        case "calls":
            return Fraction(1)
        case "tokens":
            return Fraction(figures.tokens)
        case "credits":
            return Fraction(figures.microcredits)
    return Fraction(figures.cost_nanousd)


def _figures(offer: Offer, feature: FeatureTerms, model: ModelTerms, usage: Usage) -> CallFigures | None:
    supplied = offer.costs.cost(usage, Call(model.provider, model.key, offer.at)).nanousd
    if supplied is None:
        return None
    found = None if offer.card is None else pricer(offer.card, feature.id, model)
    charged = 0 if found is None else found.microcredits(usage)
    cost = Fraction(supplied) * (offer.money_per_usd or 1)
    tokens = usage.input_tokens + usage.output_tokens
    totals = UsageTotals(calls=1, tokens=tokens, charged_microcredits=charged)
    for line in offer.lines:
        if line.feature_id in (None, feature.id):
            cost += Fraction(usage_cost_femto(line, totals), FEMTO_PER_NANO)
    return CallFigures(usage, charged, cost, supplied)
