from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display

from kernel.clock import utc_now
from plans.admin.fields import KeyStays, shows_time
from plans.admin.outcome import attempt, dialog, existing, go
from plans.models import RateCard, RateCardVersion
from plans.services.publishing import new_rate_card_draft


class CardVersionInline(TabularInline):
    """The card's versions, newest first; each has its own page with its rates."""

    model = RateCardVersion
    extra = 0
    max_num = 0
    can_delete = False
    hide_title = True
    ordering = ("-effective_from",)
    fields = readonly_fields = ("show_number", "show_status", "show_effective_from", "show_rates")

    show_effective_from = shows_time("effective_from")

    def has_change_permission(self, request: HttpRequest, obj: RateCard | None = None) -> bool:
        return False

    @display(description="Version")
    def show_number(self, version: RateCardVersion) -> str:
        page = reverse("admin:plans_ratecardversion_change", args=[version.pk])
        return format_html('<a class="font-semibold text-primary-600" href="{}">v{}</a>', page, version.number)

    @display(description="Status", label={"draft": "warning", "published": "success"})
    def show_status(self, version: RateCardVersion) -> str:
        return version.status

    @display(description="Rates")
    def show_rates(self, version: RateCardVersion) -> int:
        return version.rates.count()


@admin.register(RateCard)
class RateCardAdmin(KeyStays, ModelAdmin):
    """A card's name, and the way to its versions, where the prices are."""

    list_display = ("key", "name", "show_in_force", "show_next")
    search_fields = ("key", "name")
    inlines = (CardVersionInline,)
    actions_list = ("preview",)
    actions_detail = ("new_draft",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[RateCard]":
        cards: QuerySet[RateCard] = super().get_queryset(request)
        return cards.prefetch_related(Prefetch("versions", RateCardVersion.objects.order_by("-effective_from")))

    def has_delete_permission(self, request: HttpRequest, obj: RateCard | None = None) -> bool:
        """Only a card nothing was ever charged by can go."""
        used = obj is not None and any(version.status != "draft" for version in obj.versions.all())
        return not used and bool(super().has_delete_permission(request, obj))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """No bulk deletion: it would not ask each card."""
        return {name: made for name, made in super().get_actions(request).items() if name != "delete_selected"}

    @display(description="In force")
    def show_in_force(self, card: RateCard) -> str:
        now = utc_now()
        published = (version for version in card.versions.all() if version.status == "published")
        version = next((version for version in published if version.effective_from <= now), None)
        return f"v{version.number}, since {version.effective_from:%Y-%m-%d}" if version else "–"

    @display(description="Next")
    def show_next(self, card: RateCard) -> str:
        now = utc_now()
        coming = [
            f"v{version.number} ({version.status}), from {version.effective_from:%Y-%m-%d}"
            for version in card.versions.all()
            if version.status == "draft" or version.effective_from > now
        ]
        return "; ".join(coming) or "–"

    @action(description="What an action costs", url_path="preview", icon="calculate")
    def preview(self, request: HttpRequest) -> HttpResponse:
        return go(request, reverse("admin:plans_preview"))

    @action(description="New draft", icon="edit_note", permissions=["draft"], dialog=dialog(
        "Start a new version?",
        "A draft is made from the newest version. Its rates hold once it is published.",
        "Make a draft",
    ))  # fmt: skip
    def new_draft(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        card = existing(self, request, object_id)
        if not card.versions.all():
            return go(request, f"{reverse('admin:plans_ratecardversion_add')}?card={card.pk}")
        draft = attempt(request, lambda: new_rate_card_draft(card.pk, now=utc_now()), "{} is a draft now.")
        if draft is None:
            return go(request, reverse("admin:plans_ratecard_change", args=[object_id]))
        return go(request, reverse("admin:plans_ratecardversion_change", args=[draft.pk]))

    def has_draft_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("plans.add_ratecardversion")
