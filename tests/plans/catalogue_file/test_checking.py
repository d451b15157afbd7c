"""Parts that do not fit each other are refused before anything is written."""

import pytest

from plans.catalogue_file.checking import check
from plans.catalogue_file.problems import CatalogueFileInvalid
from plans.catalogue_file.reading import read_catalogue
from plans.catalogue_file.spec import CatalogueSpec
from tests.plans.catalogue_text import SMALL, changed

CURRENCIES = ("USD", "EUR")


def faults_of(text: str, stored: CatalogueSpec | None = None) -> list[str]:
    try:
        check(read_catalogue(text), stored or CatalogueSpec(), CURRENCIES)
    except CatalogueFileInvalid as refusal:
        return refusal.faults
    return []


def test_the_small_catalogue_fits() -> None:
    assert faults_of(SMALL) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("{feature: sso}", "{feature: ssso}", "plans.pro.entitlements[2].feature: there is no 'ssso' in features"),
        ("{feature: sso}", "{feature: chat}", "plans.pro.entitlements[2]: the feature 'chat' is there already"),
        ("up_to: premium", "up_to: gold", "plans.pro.entitlements[0].up_to: there is no 'gold' in tiers"),
        ("rate_card: standard", "rate_card: x", "plans.pro.rate_card: there is no 'x' in rate_cards"),
        ("[gpt-5-mini]", "[gpt-6]", "plans.pro.fallbacks[0]: there is no 'gpt-6' in models"),
        ("[gpt-5-mini]", "[gpt-5, gpt-5]", "plans.pro.fallbacks[1]: the model 'gpt-5' is there already"),
        ("price: 0.012 USD", "price: 0.012 EUR", "plans.pro.overage.price: must be in USD, like the plan's price"),
        ("price: 29 USD", "price: 29 CHF", "plans.pro.price: CHF is not one of EUR, USD"),
        ("price: 29 USD", "price: 29.001 USD", "plans.pro.price: has more than 2 decimal places"),
        ("price: 0.012 USD", "price: 100000000 USD", "plans.pro.overage.price: must be less than 100000000"),
        ("name: Premium, rank: 20", "name: Premium, rank: 10", "tiers.premium.rank: 10 is economy's already"),
        ("tier: premium, aliases", "tier: gold, aliases", "models.gpt-5.tier: there is no 'gold' in tiers"),
        ("aliases: [big]", "aliases: [GPT-5-mini]", "models: the id 'gpt-5-mini' belongs to gpt-5 and to gpt-5-mini"),
        ("prefixes: [gpt-5-chat]", 'patterns: ["(("]', "models.gpt-5.patterns[0]: '((' is not a regular expression"),
        ("{feature: chat, tier: premium, action", "{model: gpt-5, tier: premium, action",
         "rate_cards.standard.versions[0].rates[1]: a rate applies to a model or to a tier, not to both"),
        ("{feature: chat, tier: premium, action", "{tier: economy, action",
         "rate_cards.standard.versions[0].rates[1]: the selector 'economy' is there already"),
        ("each: {web_searches: 2}", "each: {web_search: 2}", "rates[1]: 'web_search' is no kind of usage; there are"),
        ("each: {web_searches: 2}", "each: {input_tokens: 2}", "the kind 'input_tokens' is there already"),
        ("round_to: 0.001", "round_to: 0", "rate_cards.standard.versions[0].round_to: must be more than 0"),
        ("from: 2026-01-01", "from: 1999-01-01", "rate_cards.standard.versions[0].from: must be between 2000 and 2200"),
        ("value: 100,", "value: 0.5,", "plans.pro.limits[0].value: calls must be whole"),
        ("value: 2.5}", "value: 0.0000000001}", "limits[1].value: cost must be a whole multiple of 1/1000000000"),
        ("value: 2.5}", "value: 10000000}", "plans.pro.limits[1].value: must be at most 9000000"),
        ("{key: run-cost,", "{key: daily,", "plans.pro.limits[1]: the key 'daily' is there already"),
        ("feature: chat, unit: cost", "feature: chat, tier: premium, unit: cost",
         "plans.pro.limits[1]: a limit covers a feature or a tier, not both"),
        ("scope: run,", "scope: user,",
         "plans.pro.limits[1].window: a window of a run needs the scope of each run"),
        ("{key: daily, unit: calls, window: day", "{key: daily, scope: plan, unit: calls, window: hour",
         "plans.pro.limits[0].window: what many customers share is counted by day, period or lifetime"),
        ("{key: daily, unit: calls, window: day", "{key: daily, scope: everyone, unit: calls, window: draw",
         "plans.pro.limits[0].window: what many customers share is counted by day, period or lifetime"),
        ("credits: 1000, bonus", "credits: 0, bonus", "top_up_packs.small.credits: must be more than 0"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(old: str, new: str, fault: str) -> None:
    assert any(fault in found for found in faults_of(changed((old, new)))), faults_of(changed((old, new)))


def test_parts_may_refer_to_what_is_stored() -> None:
    stored = read_catalogue(SMALL)
    addition = "plans: {team: {name: Team, rate_card: standard, entitlements: [{feature: chat, up_to: premium}]}}"
    assert faults_of(addition, stored) == []
    assert faults_of("tiers: {gold: {name: Gold, rank: 20}}", stored) == ["tiers.gold.rank: 20 is premium's already"]
    claim = "models: {other: {name: O, provider: p, tier: economy, aliases: [big]}}"
    assert faults_of(claim, stored) == ["models: the id 'big' belongs to gpt-5 and to other"]
