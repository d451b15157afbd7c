"""The database becomes what the file says: once, wholly, and never against a published version."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from plans.catalogue_file.applying import apply_catalogue, pending_changes
from plans.catalogue_file.problems import CatalogueFileInvalid, CatalogueRefused
from plans.catalogue_file.stored import read_stored
from plans.catalogue_file.writing import write_catalogue
from plans.models import AIModel, Feature, ModelMatch, ModelTier, PlanVersion, RateCardVersion, TopUpPack
from plans.services.publishing import new_plan_draft, retire_plan_version
from tests.plans.catalogue_text import changed
from tests.plans.conftest import NOON

Apply = Callable[..., list[Any]]


def revision() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT revision FROM cache_revision")
        return int(cursor.fetchone()[0])


def shown(changes: list[Any]) -> list[str]:
    """The changes as the command prints them, without colours."""
    return [
        line
        for change in changes
        for line in (f"{change.sign} {change.title}", *(f"    {line.sign} {line.text}" for line in change.lines))
    ]


@pytest.mark.parametrize("publish", [False, True])
def test_applying_twice_changes_nothing_the_second_time(apply: Apply, publish: bool) -> None:
    assert apply(publish=publish)
    before = revision()
    assert apply(publish=publish) == []
    assert revision() == before


@pytest.mark.parametrize("publish", [False, True])
def test_an_export_says_what_is_there(apply: Apply, publish: bool) -> None:
    apply(publish=publish)
    exported = write_catalogue(read_stored().spec)
    assert pending_changes(exported, publish=False) == ([], [])
    assert write_catalogue(read_stored().spec) == exported


def test_an_export_rebuilds_the_catalogue_elsewhere(apply: Apply) -> None:
    apply(publish=True)
    exported = write_catalogue(read_stored().spec)
    for kind in (TopUpPack, ModelMatch):
        kind.objects.all().delete()
    AIModel.objects.update(aliases=[])
    apply(exported, publish=True)
    assert write_catalogue(read_stored().spec) == exported


def test_without_publish_there_are_drafts(apply: Apply) -> None:
    apply()
    assert set(PlanVersion.objects.values_list("status", flat=True)) == {"draft"}
    assert set(RateCardVersion.objects.values_list("status", flat=True)) == {"draft"}
    changes = apply(publish=True)
    assert shown(changes) == ["^ rate_cards.standard v1", "^ plans.pro v1"]
    assert PlanVersion.objects.get().status == "published"


def test_rows_hold_the_smallest_units(apply: Apply) -> None:
    apply()
    version = PlanVersion.objects.get()
    assert (version.included_microcredits, version.rollover_max_microcredits) == (1_000_000_000, 250_500_000)
    assert (version.price.amount, str(version.price.currency)) == (29, "USD")
    assert {limit.key: limit.value for limit in version.limits.all()} == {"daily": 100, "run-cost": 2_500_000_000}
    rate = RateCardVersion.objects.get().rates.get(feature__key="chat")
    prices = {(price.kind, price.microcredits, price.per) for price in rate.token_rates.all()}
    assert prices == {("input_tokens", 1_000_000_000, 1_000_000), ("web_searches", 2_000_000, 1)}


def test_a_changed_plan_becomes_the_next_draft(apply: Apply) -> None:
    apply(publish=True)
    text = changed(
        ("price: 29 USD", "price: 39 USD"), ("value: 100, warn_at: [80, 95]", "value: 200"), ("- {feature: sso}", "")
    )
    assert shown(apply(text)) == [
        "+ plans.pro v2 (draft)",
        "    ~ price: 29 USD → 39 USD",
        "    - entitlements.sso: {feature: sso, at_limit: deny}",
        "    ~ limits.daily.value: 100 → 200",
        "    ~ limits.daily.warn_at: [80, 95] → []",
    ]
    assert [(item.number, item.status, item.price.amount) for item in PlanVersion.objects.order_by("number")] == [
        (1, "published", 29),
        (2, "draft", 39),
    ]
    assert apply(text) == []


def test_with_publish_it_goes_on_sale_and_the_old_version_is_kept(apply: Apply) -> None:
    apply(publish=True)
    apply(changed(("price: 29 USD", "price: 39 USD")), publish=True)
    assert [(item.number, item.status) for item in PlanVersion.objects.order_by("number")] == [
        (1, "retired"),
        (2, "published"),
    ]


def test_a_draft_is_changed_in_place(apply: Apply) -> None:
    apply()
    changes = apply(changed(("at_limit: downgrade", "at_limit: overage"), ("action: 0.5", "action: 0.25")))
    assert shown(changes) == [
        "~ rate_cards.standard v1 (draft)",
        "    ~ rates.chat · premium.action: 0.5 → 0.25",
        "~ plans.pro v1 (draft)",
        "    ~ entitlements.chat.at_limit: downgrade → overage",
    ]
    assert PlanVersion.objects.get().entitlements.get(feature__key="chat").at_limit == "overage"
    assert RateCardVersion.objects.get().rates.get(feature__key="chat").action_microcredits == 250_000


def test_a_published_number_is_not_said_otherwise(apply: Apply) -> None:
    apply(publish=True)
    before = revision()
    text = changed(("name: Pro\n", "name: Pro\n    version: 1\n"), ("price: 29 USD", "price: 39 USD"))
    with pytest.raises(CatalogueRefused) as refusal:
        apply(text)
    (fault,) = refusal.value.faults
    assert fault.startswith("plans.pro v1 is published and does not change.")
    assert "the next is 2" in fault
    assert fault.endswith("\n    ~ price: 29 USD → 39 USD")
    assert revision() == before


def test_a_published_rate_card_is_not_said_otherwise(apply: Apply) -> None:
    apply(publish=True)
    with pytest.raises(CatalogueRefused, match=r"rate_cards\.standard v1 is published") as refusal:
        apply(changed(("action: 0.5", "action: 0.6"), ("name: Chat}", "name: Chatter}")))
    assert "~ rates.chat · premium.action: 0.5 → 0.6" in refusal.value.faults[0]
    assert Feature.objects.get(key="chat").name == "Chat"


def test_saying_a_published_number_alike_is_fine(apply: Apply) -> None:
    apply(publish=True)
    assert apply(changed(("name: Pro\n", "name: Pro\n    version: 1\n")), publish=True) == []


@pytest.mark.parametrize(("number", "fault"), [(1, "v1 is retired"), (2, "v2 is published")])
def test_an_old_number_is_not_written_again(apply: Apply, number: int, fault: str) -> None:
    apply(publish=True)
    apply(changed(("price: 29 USD", "price: 39 USD")), publish=True)
    text = changed(("name: Pro\n", f"name: Pro\n    version: {number}\n"), ("price: 29 USD", "price: 49 USD"))
    with pytest.raises(CatalogueRefused, match=fault):
        apply(text)


def test_a_file_may_choose_a_later_number(apply: Apply) -> None:
    apply(changed(("name: Pro\n", "name: Pro\n    version: 7\n")), publish=True)
    with pytest.raises(CatalogueRefused, match="v3: there is no such version, and v7 is already there; the next is 8"):
        apply(changed(("name: Pro\n", "name: Pro\n    version: 3\n")))
    changes = apply(changed(("price: 29 USD", "price: 39 USD"), ("name: Pro\n", "name: Pro\n    version: 9\n")))
    assert shown(changes)[0] == "+ plans.pro v9 (draft)"


def test_a_draft_takes_the_files_number(apply: Apply) -> None:
    apply()
    assert shown(apply(changed(("name: Pro\n", "name: Pro\n    version: 4\n")))) == [
        "~ plans.pro v4 (draft)",
        "    ~ version: 1 → 4",
    ]
    assert PlanVersion.objects.get().number == 4


def test_a_draft_made_in_the_admin_is_left_alone_by_a_file_that_says_what_is_sold(apply: Apply) -> None:
    apply(publish=True)
    draft = new_plan_draft(PlanVersion.objects.get().plan_id)
    PlanVersion.objects.filter(pk=draft.pk).update(price=99)
    assert apply(publish=True) == []
    draft.refresh_from_db()
    assert (draft.status, draft.price.amount) == ("draft", 99)


def test_a_retired_plan_is_sold_again_under_the_next_number(apply: Apply) -> None:
    apply(publish=True)
    retire_plan_version(PlanVersion.objects.get().pk, now=NOON)
    assert shown(apply(publish=True)) == ["+ plans.pro v2 (draft)", "^ plans.pro v2"]


def test_a_plans_name_may_change_while_it_is_sold(apply: Apply) -> None:
    apply(publish=True)
    assert shown(apply(changed(("name: Pro\n", "name: Professional\n")), publish=True)) == [
        "~ plans.pro",
        "    ~ name: Pro → Professional",
    ]
    assert PlanVersion.objects.get().plan.name == "Professional"


def test_what_the_file_does_not_mention_stays(apply: Apply) -> None:
    apply()
    changes, beside = pending_changes("features: {chat: {name: Chat}}", publish=True)
    assert changes == []
    assert "plans.pro" in beside
    assert "features.sso" in beside
    assert "features.chat" not in beside


def test_tiers_can_swap_ranks(apply: Apply) -> None:
    apply()
    apply(
        changed(
            ("name: Economy, rank: 10", "name: Economy, rank: 20"),
            ("name: Premium, rank: 20", "name: Premium, rank: 10"),
        )
    )
    assert {tier.key: tier.rank for tier in ModelTier.objects.all()} == {"economy": 20, "premium": 10}


def test_a_rule_can_move_to_another_model(apply: Apply) -> None:
    apply()
    moved = changed((", prefixes: [gpt-5-chat]", ""), ("tier: economy}", "tier: economy, prefixes: [gpt-5-chat]}"))
    apply(moved)
    assert ModelMatch.objects.get().model.key == "gpt-5-mini"


def test_a_later_card_version_follows(apply: Apply) -> None:
    apply(publish=True)
    later = changed(("plans:", "      - {number: 2, from: 2026-12-01, rates: [{action: 1}]}\nplans:"))
    assert shown(apply(later, publish=True)) == [
        "+ rate_cards.standard v2 (draft)",
        "    + number: 2",
        "    + from: 2026-12-01T00:00:00Z",
        "    + rates.everything: {action: 1}",
        "^ rate_cards.standard v2",
    ]


def test_a_backdated_card_in_use_is_refused_and_nothing_is_written(apply: Apply) -> None:
    apply(publish=True)
    before = revision()
    version = "      - {number: 2, from: 2026-11-14, rates: [{action: 1}]}\nplans:"
    backdated = changed(("plans:", version), ("name: Chat}", "name: Chatter}"))
    with pytest.raises(CatalogueRefused, match=r"standard v2 cannot be published: standard v2 starts 2026-11-14"):
        apply(backdated, publish=True)
    assert revision() == before
    assert not RateCardVersion.objects.filter(number=2).exists()


def test_a_plan_that_cannot_be_sold_is_refused_with_every_reason(apply: Apply) -> None:
    text = changed(("fallbacks: [gpt-5-mini]", ""), ("{feature: sso}", "{feature: sso, config: 3}"))
    with pytest.raises(CatalogueRefused) as refusal:
        apply(text, publish=True)
    assert [fault.split(":")[0] for fault in refusal.value.faults] == ["plans.pro v1 cannot be published"] * 2
    assert not Feature.objects.exists()


def test_a_change_in_between_is_noticed(apply: Apply) -> None:
    apply()
    text = changed(("name: Chat}", "name: Chatter}"))
    seen, _ = pending_changes(text, publish=False)
    Feature.objects.filter(key="chat").update(name="Talk")
    with pytest.raises(CatalogueRefused, match="changed by somebody else"):
        apply_catalogue(text, publish=False, now=NOON, expected=seen)
    assert Feature.objects.get(key="chat").name == "Talk"


def test_an_invalid_file_writes_nothing(apply: Apply) -> None:
    with pytest.raises(CatalogueFileInvalid):
        apply(changed(("{feature: sso}", "{feature: ssso}")))
    assert not Feature.objects.exists()
