"""What an audit finds: one rule for each way a plan loses money. Pure.

A rule is blocking when ordinary use loses money or nothing bounds the loss; a warning when extreme use does, or when a
brake is missing; information where something is given away on purpose or cannot be compared.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from math import ceil
from typing import Final

from kernel.units import format_credits
from margins.plan_audit.options import covers, metered
from margins.plan_audit.sheet import Sheet, model_keys, named
from margins.plan_audit.terms import MICRO, NANO, CallFigures, Option
from margins.plan_audit.worst_case import bounds, included
from plans.auditing import Finding

_AGENT: Final = "agent"


def findings(sheet: Sheet) -> Iterator[Finding]:
    """Everything there is to say, rule by rule."""
    for rule in RULES:
        yield from rule(sheet)


def _unlimited_use(sheet: Sheet) -> Iterator[Finding]:
    """Calls that are charged nothing and that no limit of the customer's counts: any cost for one price."""
    plan = sheet.offer.plan
    overage_is_free = plan.overage_price is not None and Fraction(plan.overage_price) == 0
    for feature, _ in metered(sheet.offer):
        free: list[tuple[Option, CallFigures]] = []
        for option in sheet.options:
            endless = option.overage and overage_is_free and plan.spend_cap_microcredits is None
            calls = [call for call in option.extremes if call.cost_nano and (endless or not call.microcredits)]
            if option.feature.id == feature.id and calls and not bounds(sheet.offer, option):
                free.append((option, max(calls, key=lambda call: call.cost_nano)))
        if free:
            dearest, call = max(free, key=lambda one: one[1].cost_nano)
            thousand = sheet.money(call.cost_nano * 1_000)
            names = model_keys(option for option, _ in free)
            yield Finding(
                severity="blocking",
                code="unlimited_use",
                detail=(
                    f"{feature.key} on {named(names)} is charged nothing and no hard limit of a customer counts it: "
                    f"for {sheet.price} it may be used without end. {_described(call)} on {dearest.model.key}, a "
                    f"thousand times, costs us {thousand}."
                ),
                remedy="Give it a rate on the rate card, or a hard limit per customer on calls, tokens or cost.",
                models=names,
            )


def _tier_below_cost(sheet: Sheet) -> Iterator[Finding]:
    """Tiers whose ordinary calls cost more per credit than the price pays for one."""
    worth = sheet.credit_earns_nano
    if worth is None or not sheet.comparable:
        return
    by_tier: dict[str, list[tuple[Option, Fraction]]] = {}
    for option, cost in sheet.beyond(worth):
        by_tier.setdefault(option.model.tier_key, []).append((option, cost))
    for tier, dearer in by_tier.items():
        option, cost = dearer[0]
        names = model_keys(one for one, _ in dearer)
        yield Finding(
            severity="blocking",
            code="tier_below_cost",
            detail=(
                f"{tier}: an ordinary call of {option.name} costs us {sheet.per_credit(cost)} a credit, and a credit "
                f"earns {sheet.per_credit(worth)} ({_earned(sheet)}).{_also(names)}"
            ),
            remedy=f"Raise the rates of {tier} on the rate card, include fewer credits, or leave {tier} out.",
            models=names,
        )


def _overage_below_cost(sheet: Sheet) -> Iterator[Finding]:
    plan = sheet.offer.plan
    if plan.overage_price is None or not sheet.comparable:
        return
    price = Fraction(plan.overage_price) * NANO
    dearer = [(option, cost) for option, cost in sheet.beyond(price) if option.overage]
    if dearer:
        option, cost = dearer[0]
        cap = plan.spend_cap_microcredits
        held = f"until {format_credits(cap)} credits a period" if cap is not None else "without a spend cap"
        yield Finding(
            severity="blocking",
            code="overage_below_cost",
            detail=(
                f"A credit of overage is sold at {sheet.per_credit(price)}, and an ordinary call of {option.name} "
                f"costs us {sheet.per_credit(cost)} a credit: each loses {sheet.per_credit(cost - price)}, {held}."
            ),
            remedy="Raise the overage price or the rates, or let these features deny instead of running over.",
            models=model_keys(one for one, _ in dearer),
        )


def _pack_below_cost(sheet: Sheet) -> Iterator[Finding]:
    for pack in sheet.offer.packs:
        if pack.currency != sheet.offer.plan.currency or not sheet.comparable:
            continue
        worth = Fraction(pack.price_nano * MICRO, pack.microcredits)
        dearer = list(sheet.beyond(worth))
        if dearer:
            option, cost = dearer[0]
            yield Finding(
                severity="blocking",
                code="pack_below_cost",
                detail=(
                    f"The pack {pack.key} sells a credit at {sheet.per_credit(worth)}, and an ordinary call of "
                    f"{option.name} costs us {sheet.per_credit(cost)} a credit: burned on it, the pack loses "
                    f"{sheet.money((cost - worth) * pack.microcredits / MICRO)}."
                ),
                remedy=f"Raise the price of {pack.key}, give fewer credits for it, or raise the rates.",
                models=model_keys(one for one, _ in dearer),
            )


def _typical_customer_loses(sheet: Sheet) -> Iterator[Finding]:
    """The half-way customer by cost, as measured, does not pay for what they use."""
    case, use = sheet.p50, sheet.offer.use
    if use is None or not _is_sold(sheet) or (margin := case.margin_nano) is None or margin >= 0:
        return
    yield Finding(
        severity="blocking",
        code="typical_customer_loses",
        detail=(
            f"Half of the {use.subscribers} subscribers cost {sheet.money(case.cost_nano or Fraction(0))} a period or "
            f"more by what they used in the last {use.days} days, and pay "
            f"{sheet.money(case.revenue_nano or Fraction(0))}."
        ),
        remedy="Raise the price, include fewer credits, or raise the rates of what they use.",
    )


def _heavy_customer_loses(sheet: Sheet) -> Iterator[Finding]:
    case, use = sheet.p95, sheet.offer.use
    if use is None or not _is_sold(sheet) or (margin := case.margin_nano) is None or margin >= 0:
        return
    yield Finding(
        severity="warning",
        code="heavy_customer_loses",
        detail=(
            f"One subscriber in twenty (of {use.subscribers}) costs {sheet.money(case.cost_nano or Fraction(0))} a "
            f"period or more by what was used in the last {use.days} days, and pays "
            f"{sheet.money(case.revenue_nano or Fraction(0))}."
        ),
        remedy="Add a hard limit they would reach, or sell what is beyond it as overage or top-ups.",
    )


def _worst_case_loses(sheet: Sheet) -> Iterator[Finding]:
    """Within all limits and still at a loss, by the use that costs the most for what it is charged."""
    case = sheet.thinnest
    margin = case.margin_nano
    if not _is_sold(sheet) or margin is None or margin >= 0:
        return
    what = named(f"{line.feature} on {line.model}" for line in case.mix)
    yield Finding(
        severity="warning",
        code="worst_case_loses",
        detail=(
            f"Within its limits a customer can cost {sheet.money(case.cost_nano or Fraction(0))} and pay "
            f"{sheet.money(case.revenue_nano or Fraction(0))}: {what}, held back by {named(case.limits) or 'nothing'}."
        ),
        remedy="Lower the limits that hold it back, or raise the rates of what it is made of.",
        models=tuple(dict.fromkeys(line.model for line in case.mix)),
        limits=case.limits,
    )


def _agent_without_run_cap(sheet: Sheet) -> Iterator[Finding]:
    """One runaway run can take everything that is left."""
    for feature, _ in metered(sheet.offer):
        if feature.id not in sheet.offer.agents and _AGENT not in f"{feature.key} {feature.name}".lower():
            continue
        capped = any(
            limit.kind == "hard" and limit.scope == "run" and limit.feature_id in (None, feature.id)
            for limit in sheet.offer.plan.limits
        )
        if not capped:
            dearest = max(
                (
                    option.typical
                    for option in sheet.options
                    if option.feature.id == feature.id and option.typical is not None
                ),
                key=lambda call: call.cost_nano,
                default=None,
            )
            example = (
                "" if dearest is None else f": 1,000 calls in a loop cost {sheet.money(dearest.cost_nano * 1_000)}"
            )
            yield Finding(
                severity="warning",
                code="run_without_cap",
                detail=f"Nothing stops a single run of {feature.key}{example}.",
                remedy=f"Add a hard limit of scope run on {feature.key}, in credits or cost.",
            )


def _rollover_stacks(sheet: Sheet) -> Iterator[Finding]:
    """Idle periods add up: more than one period's credits can meet in one."""
    plan, each = sheet.offer.plan, sheet.offer.plan.included_microcredits
    most = plan.rollover_max_microcredits
    if not each or most <= each:
        return
    yield Finding(
        severity="warning",
        code="rollover_stacks",
        detail=(
            f"Up to {format_credits(most)} credits roll over of {format_credits(each)} included: after "
            f"{ceil(most / each)} idle periods a customer can burn {format_credits(most + each)} in one."
        ),
        remedy=f"Let no more than {format_credits(each)} roll over.",
    )


def _can_go_below_cost(sheet: Sheet) -> Iterator[Finding]:
    """Ordinary calls pay, and some kind of call does not."""
    worth = sheet.credit_earns_nano
    if worth is None or not sheet.comparable:
        return
    ordinary = {option.name for option, _ in sheet.beyond(worth)}
    dearer = [(option, cost) for option, cost in sheet.can_go_beyond(worth) if option.name not in ordinary]
    if dearer:
        option, cost = dearer[0]
        yield Finding(
            severity="warning",
            code="calls_below_cost",
            detail=(
                f"Some calls of {option.name} cost us {sheet.per_credit(cost)} a credit, and a credit earns "
                f"{sheet.per_credit(worth)}: long inputs and long outputs are not charged in the proportion they cost."
            ),
            remedy="Bring the rates of input and output nearer to the supplier's, or limit the tokens of a draw.",
            models=model_keys(one for one, _ in dearer),
        )


def _free_of_charge_within_limits(sheet: Sheet) -> Iterator[Finding]:
    """Not rated is free, as far as a limit lets it go."""
    unrated = [option for option in sheet.options if not option.rated and bounds(sheet.offer, option)]
    if unrated:
        keys = {limit.key for option in unrated for limit in bounds(sheet.offer, option) if covers(limit, option)}
        yield Finding(
            severity="warning",
            code="model_not_rated",
            detail=f"No rate of the card matches {named(option.name for option in unrated)}: it is charged nothing.",
            remedy="Add a rate for the model, its tier, or everything.",
            models=model_keys(unrated),
            limits=tuple(sorted(keys)),
        )


def _cost_unknown(sheet: Sheet) -> Iterator[Finding]:
    unknown = [option for option in sheet.options if option.typical is None]
    if unknown:
        names = model_keys(unknown)
        yield Finding(
            severity="warning",
            code="model_cost_unknown",
            detail=f"Nobody has said what {named(names)} cost us: no figure here contains them.",
            remedy="Publish a cost card for each, or keep them out of the plan.",
            models=names,
        )


def _unknown_models_allowed(sheet: Sheet) -> Iterator[Finding]:
    if sheet.offer.plan.unpriced == "allow" and any(metered(sheet.offer)):
        yield Finding(
            severity="warning",
            code="unpriced_models_allowed",
            detail="A model that is not in the catalogue is let through, whatever it costs.",
            remedy="Set unpriced to deny.",
        )


def _given_away(sheet: Sheet) -> Iterator[Finding]:
    """What is free of charge on purpose, with what it costs at most."""
    plan, cost = sheet.offer.plan, sheet.dearest.cost_nano
    if Fraction(plan.price) or not included(sheet.offer) or cost is None:
        return
    yield Finding(
        severity="info",
        code="given_away",
        detail=(
            f"{format_credits(included(sheet.offer))} credits a {plan.interval} are free: a customer costs up to "
            f"{sheet.money(cost)}, {sheet.money(sheet.p50.cost_nano or Fraction(0))} half-way."
        ),
        remedy="Nothing, if that is what a new customer is worth.",
        limits=sheet.dearest.limits,
    )


def _overage_without_cap(sheet: Sheet) -> Iterator[Finding]:
    plan = sheet.offer.plan
    if plan.spend_cap_microcredits is None and any(option.overage for option in sheet.options):
        yield Finding(
            severity="info",
            code="overage_without_cap",
            detail="Overage has no spend cap: a customer can owe any amount before anyone is asked to pay.",
            remedy="Set a spend cap.",
        )


def _cannot_compare(sheet: Sheet) -> Iterator[Finding]:
    if not sheet.comparable:
        yield Finding(
            severity="info",
            code="no_exchange_rate",
            detail=f"Costs are in USD and the plan is sold in {sheet.offer.plan.currency}: its margin is not known.",
            remedy=f"Record an exchange rate between USD and {sheet.offer.plan.currency}.",
        )


RULES: Final[tuple[Callable[[Sheet], Iterator[Finding]], ...]] = (
    _unlimited_use,
    _tier_below_cost,
    _overage_below_cost,
    _pack_below_cost,
    _typical_customer_loses,
    _heavy_customer_loses,
    _worst_case_loses,
    _can_go_below_cost,
    _agent_without_run_cap,
    _rollover_stacks,
    _free_of_charge_within_limits,
    _cost_unknown,
    _unknown_models_allowed,
    _given_away,
    _overage_without_cap,
    _cannot_compare,
)


def _is_sold(sheet: Sheet) -> bool:
    """Whether anybody pays for the plan: what is given away is another finding."""
    plan = sheet.offer.plan
    return bool(Fraction(plan.price)) or bool(Fraction(plan.overage_price or 0))


def _earned(sheet: Sheet) -> str:
    return f"{sheet.price} for {format_credits(included(sheet.offer))}"


def _also(names: tuple[str, ...]) -> str:
    """The models of a finding besides the one it describes."""
    return f" So it is with {named(names[1:])}." if names[1:] else ""


def _described(call: CallFigures) -> str:
    usage = call.usage
    return f"A call of {usage.input_tokens:,} tokens in and {usage.output_tokens:,} out"
