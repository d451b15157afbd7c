from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from plans.admin.fields import KeyStays, LinesFormField
from plans.model_names import LONGEST_ID, compiled_regex
from plans.models import AIModel, ModelMatch


class AIModelForm(forms.ModelForm):  # type: ignore[type-arg] # Django's own is not generic at run time
    aliases = LinesFormField(
        required=False, help_text="Other ids of the same model, one per line. Dates and vendor prefixes need none."
    )

    class Meta:
        model = AIModel
        fields = ("key", "name", "provider", "tier", "aliases")

    def clean_key(self) -> str:
        key = str(self.cleaned_data["key"])
        self._refuse_claimed([key])
        return key

    def clean_aliases(self) -> list[str]:
        aliases: list[str] = self.cleaned_data["aliases"]
        long = next((alias for alias in aliases if len(alias) > LONGEST_ID // 2), None)
        if long is not None:
            raise ValidationError(f"{long[:40]}… is longer than {LONGEST_ID // 2} characters.")
        self._refuse_claimed(aliases)
        return aliases

    def _refuse_claimed(self, ids: list[str]) -> None:
        """Two models with one id would be resolved to either."""
        wanted = {name.lower() for name in ids}
        for other in AIModel.objects.exclude(pk=self.instance.pk):
            claimed = wanted & {name.lower() for name in (other.key, *other.aliases)}
            if claimed:
                raise ValidationError(f"{min(claimed)} is {other.key}'s already.")


class ModelMatchForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("kind") == ModelMatch.Kind.REGEX and compiled_regex(cleaned.get("pattern", "")) is None:
            self.add_error("pattern", "This is not a regular expression.")
        return cleaned


class ModelMatchInline(TabularInline):
    model = ModelMatch
    form = ModelMatchForm
    extra = 0
    hide_title = True
    verbose_name = "match rule"
    verbose_name_plural = "Match rules: a prefix never reaches across a version, a size or a variant"


@admin.register(AIModel)
class AIModelAdmin(KeyStays, ModelAdmin):
    form = AIModelForm
    inlines = (ModelMatchInline,)
    list_display = ("key", "name", "provider", "show_tier", "show_aliases")
    list_filter = ("tier", "provider")
    list_select_related = ("tier",)
    search_fields = ("key", "name", "provider")
    list_per_page = 100

    @display(description="Tier", ordering="tier__rank", label=True)
    def show_tier(self, model: AIModel) -> str:
        return model.tier.key

    @display(description="Aliases")
    def show_aliases(self, model: AIModel) -> str:
        return ", ".join(model.aliases) or "–"
