"""What an action costs in credits, before anyone pays it: a page in the admin. Reads only."""

from typing import Any

from django import forms
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.views.generic import TemplateView
from unfold.views import UnfoldModelAdminViewMixin
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from kernel.clock import utc_now
from kernel.errors import Problem
from kernel.units import format_credits
from kernel.usage import COLUMN_FIELDS, COUNTS, FIELDS, MAX_COUNT, InconsistentUsage, Usage, check
from plans.breakdown import ChargeLine, as_credits
from plans.models import AIModel, Feature, Plan, PlanVersion, RateCardVersion
from plans.services.preview import Preview, preview_by_card, preview_by_version

OTHER_FIELDS = tuple(name for name in FIELDS if name not in COLUMN_FIELDS)


class PreviewForm(forms.Form):
    """Whose prices, which action, and how much of each kind of usage."""

    prices = forms.ChoiceField(label="Prices of", widget=UnfoldAdminSelectWidget)
    feature = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    model = forms.CharField(
        required=False,
        max_length=256,
        help_text="As a provider reports it, such as gpt-5-mini-2025-08-07. Empty: an action without a model.",
        widget=UnfoldAdminTextInputWidget(attrs={"list": "known-models"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["prices"].choices = _price_choices()  # type: ignore[attr-defined]
        self.fields["feature"].choices = [  # type: ignore[attr-defined]
            (feature.key, feature.name) for feature in Feature.objects.filter(kind=Feature.Kind.METERED)
        ]
        for name in FIELDS:
            self.fields[name] = forms.IntegerField(
                required=False,
                min_value=0,
                max_value=MAX_COUNT,
                label=name.replace("_", " ").capitalize(),
                widget=UnfoldAdminIntegerFieldWidget,
            )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        usage = Usage(**{name: cleaned.get(name) or 0 for name in FIELDS})
        try:
            check(usage)
        except InconsistentUsage as error:
            self.add_error(error.field, str(error))
        return cleaned | {"usage": usage}

    def preview(self) -> Preview:
        """Price the action. Raises Problem."""
        kind, _, chosen = self.cleaned_data["prices"].partition(":")
        action = {name: self.cleaned_data[name] for name in ("feature", "model", "usage")}
        if kind == "version":
            return preview_by_version(RateCardVersion.objects.select_related("card").get(pk=chosen), **action)
        plan_version = PlanVersion.objects.select_related("rate_card").get(pk=chosen)
        return preview_by_card(rate_card=plan_version.rate_card.key, at=utc_now(), **action)

    @property
    def columns(self) -> list[forms.BoundField]:
        """The common counts."""
        return [self[name] for name in COLUMN_FIELDS]

    @property
    def others(self) -> list[forms.BoundField]:
        """The counts few actions have."""
        return [self[name] for name in OTHER_FIELDS]


class PreviewView(UnfoldModelAdminViewMixin, TemplateView):
    """A form that is a link: everything is in the query, nothing is changed."""

    title = "What an action costs"
    permission_required = "plans.view_ratecardversion"
    template_name = "plans/preview.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = "prices" in request.GET
        defaults: dict[str, Any] = {"input_tokens": 1000, "output_tokens": 500}
        if "version" in request.GET:
            defaults["prices"] = f"version:{request.GET['version']}"
        form = PreviewForm(request.GET) if asked else PreviewForm(initial=defaults)
        answer: dict[str, Any] = {}
        if asked and form.is_valid():
            try:
                answer = {"preview": (found := form.preview()), "table": _table(found)}
            except Problem as problem:
                answer = {"refusal": problem}
        context = self.get_context_data(form=form, models=AIModel.objects.values_list("key", flat=True), **answer)
        return self.render_to_response(context)


def _price_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    versions = RateCardVersion.objects.select_related("card").order_by("card__key", "-number")
    plans = Plan.objects.prefetch_related(Prefetch("versions", PlanVersion.objects.exclude(status="retired")))
    return [
        (
            "Rate cards",
            [
                (f"version:{item.pk}", f"{item} · {item.status}, from {item.effective_from:%Y-%m-%d}")
                for item in versions
            ],
        ),
        (
            "Plans, by their rate card as it is now",
            [(f"plan:{item.pk}", f"{item} · {item.status}") for plan in plans for item in plan.versions.all()],
        ),
    ]


def _table(preview: Preview) -> dict[str, Any]:
    found = preview.breakdown
    action = format_credits(found.action_microcredits)
    rows = [["The action itself", "1", action, action]]
    rows += [
        [line.kind.replace("_", " ").capitalize(), f"{line.quantity:,}", _price(line), line.credits]
        for line in found.lines
    ]
    rows.append(["Together, exactly", "", "", found.exact_credits])
    how = f"rounded {found.card.rounding.replace('_', ' ')} to {format_credits(found.card.increment)}"
    reason = "the minimum" if found.minimum_applies else how
    rows.append(["Charged", "", reason, format_credits(found.microcredits)])
    return {"headers": ["What", "Quantity", "Credits", "Charge"], "rows": rows}


def _price(line: ChargeLine) -> str:
    """Tokens are priced per million; searches, pages and the like each."""
    if line.microcredits_per_million is None:
        return "no rate: free"
    if line.kind in COUNTS:
        return f"{as_credits(line.microcredits_per_million)} each"
    return f"{format_credits(line.microcredits_per_million)} per 1M"
