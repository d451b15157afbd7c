import re
from datetime import timedelta
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminIntegerFieldWidget

from billing.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from billing.outgoing.addresses import check_url
from billing.outgoing.delivering import send_again
from billing.outgoing.endpoints import (
    DEFAULT_OVERLAP,
    LONGEST_OVERLAP,
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    rotate_secret,
    send_test,
)
from billing.outgoing.kinds import NAMES, TEST
from billing.outgoing.messages import bodies
from billing.tasks import send_webhooks, wake
from entitlements.admin.lines import ReadOnlyAdmin
from entitlements.admin.links import at
from entitlements.models import Customer
from kernel.clock import utc_now
from kernel.errors import Problem
from plans.admin.outcome import attempt, dialog, existing, go

_HOUR: Final = timedelta(hours=1)
_SECRET_ONCE: Final = "Copy this secret now; it is not shown again: {}"  # noqa: S105 - the words around one


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg] # Django's own is not generic at run time
    event_types = forms.MultipleChoiceField(
        choices=[(name, name) for name in NAMES],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        required=False,
        help_text="None chosen: everything, also what is new.",
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("url", "description", "event_types", "enabled")

    def clean_url(self) -> str:
        try:
            return check_url(self.cleaned_data["url"])
        except Problem as problem:
            raise ValidationError(f"It {problem.detail}.") from None


class RotateForm(BaseDialogForm):
    overlap_hours = forms.IntegerField(
        min_value=0,
        max_value=LONGEST_OVERLAP // _HOUR,
        initial=DEFAULT_OVERLAP // _HOUR,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="So long the present secret signs beside the new one. 0 where it leaked.",
    )


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ModelAdmin):
    """Where the product is told what happens. A secret is in the message after it was made and nowhere else."""

    form = EndpointForm
    list_display = ("url", "description", "show_state", "show_types", "show_failing", "show_waiting", "show_failed")
    list_filter = ("enabled", ("failing_since", admin.EmptyFieldListFilter))
    search_fields = ("url", "description")
    compressed_fields = True
    actions_detail = ("test", "rotate", "remove")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[WebhookEndpoint]":
        counted = {state: Count("deliveries", filter=Q(deliveries__state=state)) for state in ("waiting", "failed")}
        found: QuerySet[WebhookEndpoint] = super().get_queryset(request).annotate(**counted)
        return found

    def get_fields(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> tuple[Any, ...]:
        given = ("url", "description", "event_types", "enabled")
        return given if obj is None else (*given, *self.get_readonly_fields(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> tuple[str, ...]:
        return () if obj is None else ("show_reason", "show_failing", "show_overlap", "show_deliveries", "created_at")

    def has_delete_permission(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> bool:
        return False  # there is an action for it, which does not list every delivery first

    def has_remove_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return bool(request.user.has_perm("billing.delete_webhookendpoint"))

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: "EndpointForm", change: bool) -> None:
        given = {name: form.cleaned_data[name] for name in form.fields}
        if change:
            stored = change_endpoint(obj.pk, given)
        else:
            stored = create_endpoint(given.pop("url"), utc_now(), **given)
            messages.warning(request, _SECRET_ONCE.format(stored.secret))
        obj.__dict__.update(stored.__dict__)

    @display(description="State", label={"on": "success", "off": "default", "gone": "danger"})
    def show_state(self, endpoint: WebhookEndpoint) -> str:
        if endpoint.enabled:
            return "on"
        return "gone" if endpoint.disabled_reason else "off"

    @display(description="Disabled because")
    def show_reason(self, endpoint: WebhookEndpoint) -> str:
        return endpoint.disabled_reason or "–"

    @display(description="Is told")
    def show_types(self, endpoint: WebhookEndpoint) -> str:
        return ", ".join(endpoint.event_types) or "everything"

    @display(description="Failing since", ordering="failing_since")
    def show_failing(self, endpoint: WebhookEndpoint) -> str:
        return at(endpoint.failing_since)

    @display(description="Waiting", ordering="waiting")
    def show_waiting(self, endpoint: Any) -> int:
        return int(endpoint.waiting)

    @display(description="Given up", ordering="failed")
    def show_failed(self, endpoint: Any) -> int:
        return int(endpoint.failed)

    @display(description="Former secret ends")
    def show_overlap(self, endpoint: WebhookEndpoint) -> str:
        return at(endpoint.previous_until)

    @display(description="Deliveries")
    def show_deliveries(self, endpoint: Any) -> str:
        url = f"{reverse('admin:billing_webhookdelivery_changelist')}?endpoint__id__exact={endpoint.pk}"
        return format_html(
            '<a class="text-primary-600 dark:text-primary-500" href="{}">{} waiting, {} given up</a>',
            url,
            endpoint.waiting,
            endpoint.failed,
        )

    @action(description="Send a test", url_path="test", icon="send", permissions=["change"], dialog=dialog(
        "Send this endpoint a test message?", "Its delivery shows what came of it.", "Send"
    ))  # fmt: skip
    def test(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        endpoint = existing(self, request, object_id)
        delivery = attempt(request, lambda: send_test(endpoint.pk, utc_now()), "On its way: {}.")
        if delivery is None:
            return self._page(request, object_id)
        wake(send_webhooks)
        return go(request, reverse("admin:billing_webhookdelivery_change", args=[delivery.pk]))

    @action(description="New secret", url_path="rotate", icon="key", permissions=["change"], dialog=dialog(
        "Give this endpoint a new secret?",
        "Messages are signed with both until the present one ends.",
        "New secret",
        form=RotateForm,
    ))  # fmt: skip
    def rotate(self, request: HttpRequest, form: RotateForm, object_id: str) -> HttpResponse:
        overlap = form.cleaned_data["overlap_hours"] * _HOUR
        endpoint = rotate_secret(existing(self, request, object_id).pk, utc_now(), overlap)
        messages.warning(request, _SECRET_ONCE.format(endpoint.secret))
        return self._page(request, object_id)

    @action(description="Delete", url_path="remove", icon="delete", permissions=["remove"], dialog=dialog(
        "Delete this endpoint?", "Its deliveries go with it, also those that wait.", "Delete"
    ))  # fmt: skip
    def remove(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        endpoint = existing(self, request, object_id)
        attempt(request, lambda: delete_endpoint(endpoint.pk), f"{endpoint} is deleted.")
        return go(request, reverse("admin:billing_webhookendpoint_changelist"))

    @staticmethod
    def _page(request: HttpRequest, object_id: str) -> HttpResponse:
        return go(request, reverse("admin:billing_webhookendpoint_change", args=[object_id]))


class AttemptInline(TabularInline):
    model = WebhookAttempt
    fields = readonly_fields = ("show_at", "status", "error", "ms", "response")
    extra = 0
    hide_title = True
    verbose_name_plural = "Tries"

    @display(description="When")
    def show_at(self, tried: WebhookAttempt) -> str:
        return at(tried.at)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    """Messages on their way to endpoints, and what came of every try."""

    list_display = (
        "created_at",
        "kind",
        "endpoint",
        "show_state",
        "attempts",
        "next_try_at",
        "last_status",
        "last_error",
    )
    list_filter = ("state", "endpoint", "kind")
    list_select_related = ("endpoint",)
    search_fields = ("kind",)
    search_help_text = "A customer's key, a webhook-id, or a type."
    show_full_result_count = False
    fields = (
        "endpoint", "kind", "show_id", "show_state", ("attempts", "next_try_at"),
        ("last_status", "last_error", "last_ms"), ("created_at", "delivered_at"), "show_body",
    )  # fmt: skip
    inlines = (AttemptInline,)
    actions_detail = ("resend",)

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[WebhookDelivery]", search_term: str
    ) -> tuple["QuerySet[WebhookDelivery]", bool]:
        term = search_term.strip().replace("\0", "")
        if not term:
            return queryset, False
        if number := re.fullmatch(r"(?:msg_)?(\d{1,18})", term):
            return queryset.filter(message_id=int(number[1])), False
        if term in {*NAMES, TEST}:
            return queryset.filter(kind=term), False
        customer = Customer.objects.filter(key=term).first()
        return (queryset.filter(message__customer_id=customer.pk) if customer else queryset.none()), False

    def has_send_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return bool(request.user.has_perm("billing.change_webhookdelivery"))

    @display(
        description="State", label={"Waiting": "warning", "Delivered": "success", "Failed": "danger"}, ordering="state"
    )
    def show_state(self, delivery: WebhookDelivery) -> str:
        return delivery.get_state_display()

    @display(description="webhook-id")
    def show_id(self, delivery: WebhookDelivery) -> str:
        return delivery.message_id_sent

    @display(description="Body")
    def show_body(self, delivery: WebhookDelivery) -> str:
        (body,) = bodies([delivery])
        return format_html('<pre class="text-xs whitespace-pre-wrap">{}</pre>', body)

    @action(description="Send again", url_path="resend", icon="replay", permissions=["send"], dialog=dialog(
        "Send this message again?", "It keeps its id, by which the receiver knows it.", "Send again"
    ))  # fmt: skip
    def resend(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        delivery = existing(self, request, object_id)
        if attempt(request, lambda: send_again(delivery.pk, utc_now()), "On its way: {}."):
            wake(send_webhooks)
        return go(request, reverse("admin:billing_webhookdelivery_change", args=[object_id]))
