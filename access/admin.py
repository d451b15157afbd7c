"""API keys in the admin: made, seen and revoked there; never changed, deleted or shown again. And the staff."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from access.models import ApiKey, Scope
from access.services.api_keys import create_key, revoke_key
from kernel.clock import utc_now


class NewKeyForm(forms.ModelForm):  # type: ignore[type-arg] # Django's own is not generic at run time
    """A key is a name and scopes; the rest is made."""

    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="A product's backend needs check and usage.",
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes")


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):
    """The digest is nowhere; the token is in the message after creation and nowhere else."""

    form = NewKeyForm
    list_display = ("name", "prefix", "show_scopes", "show_state", "created_at", "last_used_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    search_fields = ("name", "prefix")
    actions = ("revoke",)
    compressed_fields = True

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        return () if obj is None else ("name", "prefix", "show_scopes", "created_at", "last_used_at", "revoked_at")

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        return ("name", "scopes") if obj is None else self.get_readonly_fields(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: "forms.ModelForm[ApiKey]", change: bool) -> None:
        if change:
            return
        stored, token = create_key(obj.name, form.cleaned_data["scopes"], utc_now())
        obj.__dict__.update(stored.__dict__)
        messages.warning(request, f"Copy this key now; it is not shown again: {token}")

    @display(description="Scopes")
    def show_scopes(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @display(description="State", label={"active": "success", "revoked": "danger"})
    def show_state(self, key: ApiKey) -> str:
        return "revoked" if key.revoked_at else "active"

    @action(description="Revoke selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        now = utc_now()
        active: list[Any] = [revoke_key(key, now) for key in queryset.filter(revoked_at=None)]
        messages.success(request, f"{len(active)} keys revoked: they stopped working at once.")


# Django registers these first, without the look of the rest.
admin.site.unregister([User, Group])


@admin.register(User)
class StaffAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg] # not generic at run time
    """Who may sign in here."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Rights that several members of staff share."""
