"""Tables on the page of a version: open while it is a draft, to be read once it is published."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.forms import PaginationInlineFormSet

from plans.admin.fields import PlainSelects
from plans.models import PlanVersion, RateCardVersion

Version = PlanVersion | RateCardVersion


def is_draft(version: Version | None) -> bool:
    """Whether the version may still change; one that is being added may."""
    return version is None or version.status == "draft"


class PartFormSet(PaginationInlineFormSet):
    """Rows that may trade places."""

    def save_existing_objects(self, commit: bool = True) -> list[Any]:
        """Two rows that swap a unique value would collide half-way, so what changes leaves before it comes back.

        Django saves a row that is gone by inserting it, with its id. Nothing refers to a draft's parts.
        """
        if commit:
            changed = [form.instance.pk for form in self.initial_forms if form.has_changed()]
            self.model.objects.filter(pk__in=changed).delete()
        saved: list[Any] = super().save_existing_objects(commit)
        return saved


class DraftPartInline(PlainSelects, TabularInline):
    formset = PartFormSet
    extra = 0
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Version | None = None) -> bool:
        return is_draft(obj) and bool(super().has_add_permission(request, obj))

    def has_change_permission(self, request: HttpRequest, obj: Version | None = None) -> bool:
        return is_draft(obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Version | None = None) -> bool:
        return is_draft(obj) and bool(super().has_delete_permission(request, obj))
