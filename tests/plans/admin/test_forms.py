"""What is typed into the forms lands exactly, and what makes no sense comes back with its reason."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from plans.models import AIModel, Feature, ModelTier, PlanLimit, PlanVersion, RateCardVersion, TopUpPack


def management(prefix: str, total: int, initial: int = 0) -> dict[str, str]:
    return {f"{prefix}-TOTAL_FORMS": str(total), f"{prefix}-INITIAL_FORMS": str(initial)}


def errors(answer: Any) -> str:
    """Every error of a form that came back."""
    assert answer.status_code == 200, answer.status_code
    context = answer.context
    inline = [formset.errors for formset in (item.formset for item in context["inline_admin_formsets"])]
    return str([context["adminform"].form.errors, inline])


PACK = {
    "key": "large", "name": "Large", "microcredits": "1000.000001", "bonus_microcredits": "0.5", "price_0": "99.50",
    "price_1": "USD", "position": "1", "active": "on",
}  # fmt: skip


def test_a_pack_is_typed_in_credits(staff: Client) -> None:
    answer = staff.post(reverse("admin:plans_topuppack_add"), PACK)
    assert answer.status_code == 302, errors(answer)
    pack = TopUpPack.objects.get()
    assert (pack.microcredits, pack.bonus_microcredits) == (1_000_000_001, 500_000)


def test_what_is_no_amount_of_credits_comes_back(staff: Client) -> None:
    for typed, reason in (
        ("0.0000001", "more than 6 decimal places"),
        ("ten", "plain decimal string"),
        ("-1", "must not be negative"),
        ("1e99", "plain decimal string"),
        ("99999999999999", "is more than"),
        ("", "required"),
    ):
        answer = staff.post(reverse("admin:plans_topuppack_add"), PACK | {"microcredits": typed})
        assert reason in errors(answer)
        if typed:
            assert f'value="{typed}"' in answer.content.decode()
    assert not TopUpPack.objects.exists()


def test_a_price_nobody_can_pay_comes_back(staff: Client) -> None:
    assert "USD has 2 decimal places" in errors(
        staff.post(reverse("admin:plans_topuppack_add"), PACK | {"price_0": "99.505"})
    )


def test_a_pack_of_nothing_comes_back(staff: Client) -> None:
    assert "top_up_pack_amounts_are_sane" in errors(
        staff.post(reverse("admin:plans_topuppack_add"), PACK | {"microcredits": "0"})
    )


MODEL = {"key": "gpt-6", "name": "GPT-6", "provider": "openai", "aliases": "six\r\n\r\n  sechs  "}


def test_a_model_with_aliases_and_rules(staff: Client, drafts: PlanVersion) -> None:
    tier = str(ModelTier.objects.get(key="premium").pk)
    rules = management("matches", 1) | {"matches-0-kind": "regex", "matches-0-pattern": "gpt-6-.*"}
    answer = staff.post(reverse("admin:plans_aimodel_add"), MODEL | rules | {"tier": tier})
    assert answer.status_code == 302, errors(answer)
    model = AIModel.objects.get(key="gpt-6")
    assert model.aliases == ["six", "sechs"]
    assert model.matches.get().pattern == "gpt-6-.*"


def test_a_model_cannot_claim_anothers_id(staff: Client, drafts: PlanVersion) -> None:
    tier = {"tier": str(ModelTier.objects.get(key="premium").pk)} | management("matches", 0)
    for claim in ({"aliases": "BIG"}, {"aliases": "gpt-5-MINI"}, {"key": "big"}):
        said = errors(staff.post(reverse("admin:plans_aimodel_add"), MODEL | tier | claim))
        assert "already" in said
    rules = management("matches", 1) | {"matches-0-kind": "regex", "matches-0-pattern": "(("}
    assert "not a regular expression" in errors(staff.post(reverse("admin:plans_aimodel_add"), MODEL | tier | rules))


def draft_form(draft: PlanVersion, **changes: str) -> dict[str, str]:
    """The page of the small catalogue's draft as a browser would send it back."""
    chat, limit = draft.entitlements.get(feature__key="chat"), draft.limits.get(key="run-cost")
    return (
        {
            "price_0": "39", "price_1": "USD", "interval": "month", "rate_card": str(draft.rate_card_id),
            "included_microcredits": "2000.25", "allowance_renewal": "month", "rollover_max_microcredits": "",
            "allowance_priority": "50", "overage_price_0": "0.012", "overage_price_1": "USD",
            "spend_cap_microcredits": "", "overage_invoice_at_microcredits": "", "unpriced": "allow",
            "grace": "keep", "grace_days": "0",
        }
        | management("entitlements", 1, 1)
        | {
            "entitlements-0-id": str(chat.pk), "entitlements-0-plan_version": str(draft.pk),
            "entitlements-0-feature": str(chat.feature_id), "entitlements-0-max_tier": "",
            "entitlements-0-at_limit": "overage", "entitlements-0-config": "",
        }
        | management("fallbacks", 0)
        | management("limits", 1, 1)
        | {
            "limits-0-id": str(limit.pk), "limits-0-plan_version": str(draft.pk), "limits-0-key": "run-cost",
            "limits-0-scope": "run", "limits-0-unit": "cost", "limits-0-window": "run", "limits-0-kind": "hard",
            "limits-0-value": "0.000000001", "limits-0-warn_at_percent": "80, 95",
        }
        | changes
    )  # fmt: skip


def test_a_draft_is_changed_exactly(staff: Client, drafts: PlanVersion) -> None:
    answer = staff.post(reverse("admin:plans_planversion_change", args=[drafts.pk]), draft_form(drafts))
    assert answer.status_code == 302, errors(answer)
    drafts.refresh_from_db()
    assert (drafts.price.amount, drafts.included_microcredits) == (39, 2_000_250_000)
    assert (drafts.rollover_max_microcredits, drafts.spend_cap_microcredits) == (0, None)
    chat = drafts.entitlements.get(feature__key="chat")
    assert (chat.max_tier, chat.at_limit, chat.config) == (None, "overage", None)
    limit = drafts.limits.get(key="run-cost")
    assert (limit.value, limit.warn_at_percent) == (1, [80, 95])


def test_a_limit_is_kept_in_its_unit(staff: Client, drafts: PlanVersion) -> None:
    page = reverse("admin:plans_planversion_change", args=[drafts.pk])
    for unit, typed, kept in (("credits", "1.5", 1_500_000), ("calls", "7", 7), ("tokens", "1000000", 1_000_000)):
        answer = staff.post(page, draft_form(drafts, **{"limits-0-unit": unit, "limits-0-value": typed}))
        assert answer.status_code == 302, errors(answer)
        assert PlanLimit.objects.get(key="run-cost").value == kept
    refused = (("calls", "1.5"), ("credits", "0.0000001"), ("cost", "0.0000000001"), ("cost", "9999999999"))
    for unit, typed in refused:
        answer = staff.post(page, draft_form(drafts, **{"limits-0-unit": unit, "limits-0-value": typed}))
        assert "'value': [" in errors(answer)
    assert "between 1 and 100" in errors(staff.post(page, draft_form(drafts, **{"limits-0-warn_at_percent": "120"})))


@pytest.mark.parametrize(
    ("scope", "window", "says"),
    [
        ("customer", "run", "A window of a run needs the scope of each run."),
        ("plan", "hour", "What many customers share is counted by day, period or lifetime."),
        ("everyone", "draw", "What many customers share is counted by day, period or lifetime."),
    ],
)
def test_a_window_that_does_not_fit_its_scope_comes_back(
    staff: Client, drafts: PlanVersion, scope: str, window: str, says: str
) -> None:
    page = reverse("admin:plans_planversion_change", args=[drafts.pk])
    answer = staff.post(page, draft_form(drafts, **{"limits-0-scope": scope, "limits-0-window": window}))
    assert errors(answer).count(says) == 1
    assert drafts.limits.get(key="run-cost").scope == "run"


def test_two_currencies_come_back(staff: Client, drafts: PlanVersion) -> None:
    page = reverse("admin:plans_planversion_change", args=[drafts.pk])
    assert "Must be in USD" in errors(staff.post(page, draft_form(drafts, overage_price_1="EUR")))


def test_a_published_version_is_not_changed_by_a_form(staff: Client, on_sale: PlanVersion) -> None:
    page = reverse("admin:plans_planversion_change", args=[on_sale.pk])
    assert staff.post(page, draft_form(on_sale)).status_code == 403
    on_sale.refresh_from_db()
    assert on_sale.price.amount == 29


def test_the_first_version_of_a_plan_gets_its_number(staff: Client, drafts: PlanVersion) -> None:
    plan = drafts.plan
    drafts.delete()
    form = draft_form_of_nothing(plan.pk, drafts.rate_card_id)
    answer = staff.post(reverse("admin:plans_planversion_add"), form)
    assert answer.status_code == 302, errors(answer)
    assert plan.versions.get().number == 1


def draft_form_of_nothing(plan_id: int, rate_card_id: int) -> dict[str, str]:
    return (
        {
            "plan": str(plan_id), "price_0": "0", "price_1": "USD", "interval": "month", "rate_card": str(rate_card_id),
            "included_microcredits": "", "allowance_renewal": "month", "rollover_max_microcredits": "",
            "allowance_priority": "50", "overage_price_0": "", "overage_price_1": "USD", "spend_cap_microcredits": "",
            "overage_invoice_at_microcredits": "", "unpriced": "allow", "grace": "keep", "grace_days": "0",
        }
        | management("entitlements", 0) | management("fallbacks", 0) | management("limits", 0)
    )  # fmt: skip


def card_form(version: RateCardVersion, **changes: str) -> dict[str, str]:
    """The page of the small catalogue's draft card with one row, as a browser would send it back."""
    rate = version.rates.get(feature__key="chat")
    return (
        {
            "effective_from_0": "2026-01-01", "effective_from_1": "00:00:00", "rounding": "half_even",
            "rounding_increment_microcredits": "0.01",
        }
        | management("rates", 1, 1)
        | {
            "rates-0-id": str(rate.pk), "rates-0-version": str(version.pk), "rates-0-feature": str(rate.feature_id),
            "rates-0-model": "", "rates-0-tier": str(rate.tier_id), "rates-0-action_microcredits": "0.75",
            "rates-0-minimum_microcredits": "", "rates-0-input_tokens": "1200", "rates-0-cache_read_tokens": "",
            "rates-0-output_tokens": "4000.5", "rates-0-other_prices": "web_searches 2 each\r\ninput_audio_tokens: 9",
        }
        | changes
    )  # fmt: skip


def test_rates_are_typed_as_a_price_list(staff: Client, drafts: PlanVersion) -> None:
    version = RateCardVersion.objects.get()
    answer = staff.post(reverse("admin:plans_ratecardversion_change", args=[version.pk]), card_form(version))
    assert answer.status_code == 302, errors(answer)
    version.refresh_from_db()
    assert (version.rounding, version.rounding_increment_microcredits) == ("half_even", 10_000)
    rate = version.rates.get(feature__key="chat")
    assert (rate.action_microcredits, rate.minimum_microcredits) == (750_000, 0)
    assert {(item.kind, item.microcredits, item.per) for item in rate.token_rates.all()} == {
        ("input_tokens", 1_200_000_000, 1_000_000),
        ("output_tokens", 4_000_500_000, 1_000_000),
        ("web_searches", 2_000_000, 1),
        ("input_audio_tokens", 9_000_000, 1_000_000),
    }


def test_rates_can_trade_what_they_apply_to(staff: Client, drafts: PlanVersion) -> None:
    version = RateCardVersion.objects.get()
    economy, chat = version.rates.get(feature=None), version.rates.get(feature__key="chat")
    form = card_form(version) | management("rates", 2, 2)
    form |= {"rates-0-feature": "", "rates-0-tier": str(economy.tier_id)}
    form |= {
        "rates-1-id": str(economy.pk), "rates-1-version": str(version.pk), "rates-1-feature": str(chat.feature_id),
        "rates-1-model": "", "rates-1-tier": str(chat.tier_id), "rates-1-output_tokens": "7",
    }  # fmt: skip
    answer = staff.post(reverse("admin:plans_ratecardversion_change", args=[version.pk]), form)
    assert answer.status_code == 302, errors(answer)
    assert version.rates.get(feature=None).token_rates.count() == 4
    assert version.rates.get(feature__key="chat").token_rates.get().microcredits == 7_000_000


def test_a_new_row_is_saved_with_its_prices(staff: Client, drafts: PlanVersion) -> None:
    version = RateCardVersion.objects.get()
    form = card_form(version) | management("rates", 2, 1)
    form |= {"rates-1-action_microcredits": "", "rates-1-output_tokens": "5", "rates-1-version": str(version.pk)}
    answer = staff.post(reverse("admin:plans_ratecardversion_change", args=[version.pk]), form)
    assert answer.status_code == 302, errors(answer)
    everything = version.rates.get(feature=None, model=None, tier=None)
    assert everything.token_rates.get().microcredits == 5_000_000


def test_prices_that_make_no_sense_come_back(staff: Client, drafts: PlanVersion) -> None:
    version = RateCardVersion.objects.get()
    page = reverse("admin:plans_ratecardversion_change", args=[version.pk])
    for typed, reason in (
        ("web_search 2 each", "write a kind"),
        ("web_searches two each", "write a kind"),
        ("web_searches 0.0000001 each", "more than 6 decimal places"),
        ("input_tokens 3", "has a column already"),
    ):
        assert reason in errors(staff.post(page, card_form(version, **{"rates-0-other_prices": typed})))
    model = str(AIModel.objects.get(key="gpt-5").pk)
    assert "not to both" in errors(staff.post(page, card_form(version, **{"rates-0-model": model})))


def test_two_rows_for_the_same_come_back(staff: Client, drafts: PlanVersion) -> None:
    version = RateCardVersion.objects.get()
    form = card_form(version) | management("rates", 3, 1)
    for index in (1, 2):
        form |= {f"rates-{index}-output_tokens": "5", f"rates-{index}-version": str(version.pk)}
    page = reverse("admin:plans_ratecardversion_change", args=[version.pk])
    assert "Another row applies to the same" in errors(staff.post(page, form))


def test_two_parts_for_the_same_come_back(staff: Client, drafts: PlanVersion) -> None:
    page = reverse("admin:plans_planversion_change", args=[drafts.pk])
    chat = drafts.entitlements.get(feature__key="chat")
    form = draft_form(drafts) | management("entitlements", 2, 1)
    form |= {"entitlements-1-plan_version": str(drafts.pk), "entitlements-1-feature": str(chat.feature_id)}
    form |= {"entitlements-1-at_limit": "deny"}
    assert "Please correct the duplicate" in str(staff.post(page, form).content)


def test_rows_can_trade_places(staff: Client, drafts: PlanVersion) -> None:
    page = reverse("admin:plans_planversion_change", args=[drafts.pk])
    (first,) = drafts.fallbacks.all()
    second = drafts.fallbacks.create(position=2, model=AIModel.objects.get(key="gpt-5"))
    swapped = draft_form(drafts) | management("fallbacks", 2, 2)
    for index, (step, position) in enumerate(((first, "2"), (second, "1"))):
        swapped |= {
            f"fallbacks-{index}-id": str(step.pk), f"fallbacks-{index}-plan_version": str(drafts.pk),
            f"fallbacks-{index}-position": position, f"fallbacks-{index}-model": str(step.model_id),
        }  # fmt: skip
    answer = staff.post(page, swapped)
    assert answer.status_code == 302, errors(answer)
    assert [step.model.key for step in drafts.fallbacks.order_by("position")] == ["gpt-5", "gpt-5-mini"]


def test_a_feature_is_added(staff: Client) -> None:
    form = {"key": "chat", "name": "Chat", "description": "", "kind": "metered"}
    assert staff.post(reverse("admin:plans_feature_add"), form).status_code == 302
    assert "Lower-case letters" in errors(staff.post(reverse("admin:plans_feature_add"), form | {"key": "Big Chat"}))
    assert Feature.objects.count() == 1
