from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldBooleanSwitchWidget

from kernel.clock import utc_now
from plans.admin.fields import CreditsMixin, shows_credits, shows_time
from plans.admin.outcome import attempt, dialog, existing, go
from plans.admin.parts import is_draft
from plans.admin.preview import PreviewView
from plans.admin.rates import RateInline
from plans.models import RateCardVersion
from plans.services.publishing import publish_rate_card_version

SHOWN: Final = ("show_effective_from", "show_increment")
"""How a version that cannot change shows what a draft's form edits."""

HISTORY: Final = ("status", "show_published_at")


class PublishForm(BaseDialogForm):
    start_now = forms.BooleanField(
        required=False,
        label="Start now",
        help_text="Instead of at the date of the draft.",
        widget=UnfoldBooleanSwitchWidget,
    )


@admin.register(RateCardVersion)
class RateCardVersionAdmin(CreditsMixin, ModelAdmin):
    """Prices from a date on. A draft is a form; a published version is a price list to read."""

    inlines = (RateInline,)
    list_display = ("__str__", "status", "show_effective_from", "rounding", "show_increment")
    list_filter = ("status", "card")
    actions_detail = ("publish", "preview")
    warn_unsaved_form = True
    credits_help: ClassVar[dict[str, str]] = {
        "rounding_increment_microcredits": "Each charge is rounded once, to a multiple of this: 1 is whole credits."
    }

    show_increment = shows_credits("rounding_increment_microcredits")
    show_effective_from = shows_time("effective_from")
    show_published_at = shows_time("published_at")

    def get_fieldsets(self, request: HttpRequest, obj: RateCardVersion | None = None) -> list[Any]:
        since, increment = ("effective_from", "rounding_increment_microcredits") if is_draft(obj) else SHOWN
        fieldsets: list[Any] = [(None, {"fields": ("card", since, ("rounding", increment))})]
        if obj is not None:
            fieldsets.append(("History", {"fields": (HISTORY,)}))
        return fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: RateCardVersion | None = None) -> tuple[str, ...]:
        if obj is None:
            return HISTORY
        return (*HISTORY, "card") if is_draft(obj) else (*HISTORY, *SHOWN)

    def has_change_permission(self, request: HttpRequest, obj: RateCardVersion | None = None) -> bool:
        return is_draft(obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: RateCardVersion | None = None) -> bool:
        return is_draft(obj) and bool(super().has_delete_permission(request, obj))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """No bulk deletion: it would not ask each version."""
        return {name: made for name, made in super().get_actions(request).items() if name != "delete_selected"}

    def save_model(self, request: HttpRequest, obj: RateCardVersion, form: Any, change: bool) -> None:
        if not change:
            top: int | None = obj.card.versions.aggregate(top=Max("number"))["top"]
            obj.number = (top or 0) + 1
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[Any]:
        preview = self.admin_site.admin_view(PreviewView.as_view(model_admin=self))
        return [path("preview/", preview, name="plans_preview"), *super().get_urls()]

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Publishing is offered for drafts."""
        status = RateCardVersion.objects.filter(pk=object_id).values_list("status", flat=True).first()
        offered = super().get_actions_detail(request, object_id)
        return [item for item in offered if item.path == "preview" or status == RateCardVersion.Status.DRAFT]

    @action(description="Publish", url_path="publish", icon="publish", permissions=["publish"], dialog=dialog(
        "Publish these rates?",
        "They can never be changed afterwards, and hold from the version's date until the next version's.",
        "Publish",
        form=PublishForm,
    ))  # fmt: skip
    def publish(self, request: HttpRequest, form: PublishForm, object_id: str) -> HttpResponse:
        version = existing(self, request, object_id)
        start_now = bool(form.cleaned_data["start_now"])
        attempt(
            request,
            lambda: publish_rate_card_version(version.pk, now=utc_now(), start_now=start_now),
            "{} is published.",
        )
        return go(request, reverse("admin:plans_ratecardversion_change", args=[object_id]))

    @action(description="What an action costs", url_path="preview", icon="calculate")
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return go(request, f"{reverse('admin:plans_preview')}?version={object_id}")

    def has_publish_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("plans.change_ratecardversion")
