from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeVerticalWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from entitlements.models import CreditGrant, Customer
from entitlements.services.customers import CurrencyInUse, check_currency_is_free, check_customer_key
from kernel.errors import InvalidInput
from kernel.units import InexactAmount, parse_credits
from plans.models import PlanVersion


class CustomerForm(forms.ModelForm):  # type: ignore[type-arg] # Django's own is not generic at run time
    """The service's rules, told at the field they are about."""

    currency = forms.ChoiceField(
        choices=[(code, code) for code in settings.CURRENCIES], widget=UnfoldAdminSelectWidget, initial="USD"
    )
    time_zone = forms.ChoiceField(
        choices=[(name, name) for name in sorted(available_timezones())],
        widget=UnfoldAdminSelectWidget,
        initial="UTC",
        help_text="Day windows of limits follow it.",
    )

    class Meta:
        model = Customer
        fields = ("key", "name", "email", "currency", "time_zone", "tags")
        widgets = {"tags": UnfoldAdminTextareaWidget(attrs={"rows": 3})}

    def clean_key(self) -> str:
        key = str(self.cleaned_data["key"])
        try:
            check_customer_key(key)
        except InvalidInput as problem:
            raise forms.ValidationError(problem.detail) from None
        return key

    def clean_currency(self) -> str:
        currency = str(self.cleaned_data["currency"])
        stored = Customer.objects.filter(pk=self.instance.pk).first()
        try:
            if stored is not None and stored.currency != currency:
                check_currency_is_free(stored)
        except CurrencyInUse as problem:
            raise forms.ValidationError(problem.detail) from None
        return currency

    def clean_tags(self) -> dict[str, Any]:
        tags = self.cleaned_data["tags"]
        if not isinstance(tags or {}, dict):
            raise forms.ValidationError('must be an object such as {"team": "blue"}')
        return tags or {}


class GrantForm(BaseDialogForm):
    """Credits to give by hand, and why."""

    credits = forms.CharField(max_length=40, widget=UnfoldAdminTextInputWidget, help_text="For example 250 or 12.5.")
    source = forms.ChoiceField(
        choices=[
            (CreditGrant.Source.PROMO.value, "Promotion: earns nothing when used"),
            (CreditGrant.Source.ADJUSTMENT.value, "Adjustment: makes good a mistake"),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    expires_at = forms.SplitDateTimeField(
        required=False, widget=UnfoldAdminSplitDateTimeVerticalWidget, help_text="Empty: never. UTC."
    )
    reason = forms.CharField(max_length=1000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))

    def clean_credits(self) -> int:
        try:
            microcredits = parse_credits(self.cleaned_data["credits"])
        except InexactAmount as error:
            raise forms.ValidationError(str(error)) from None
        if microcredits <= 0:
            raise forms.ValidationError("must be more than 0")
        return microcredits


class SubscribeForm(BaseDialogForm):
    """A published plan version to be on."""

    plan_version = forms.ModelChoiceField(
        queryset=PlanVersion.objects.filter(status=PlanVersion.Status.PUBLISHED).select_related("plan"),
        widget=UnfoldAdminSelectWidget,
        empty_label=None,
    )
