from typing import Any, ClassVar, Final

from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from unfold.decorators import display

from entitlements.admin.lines import Line, LinesAdmin
from entitlements.admin.links import at, cost_of, count_of, credits_of, line_link, list_url
from entitlements.models import Run
from entitlements.queries.runs import Tree, calls_in, runs_of, tree_of
from entitlements.queries.usage import feature_keys
from metering.models import UsageEvent

MOST_CALLS: Final = 200


class RunLine(Line):
    """A run, from the view run_line."""

    run_id = models.UUIDField()
    key = models.TextField()
    ancestors = ArrayField(models.UUIDField())
    depth = models.IntegerField()
    status = models.SmallIntegerField(choices=Run.Status.choices)
    user_key = models.TextField(verbose_name="user")
    max_steps = models.BigIntegerField(null=True)
    max_microcredits = models.BigIntegerField(null=True)
    max_cost_nanousd = models.BigIntegerField(null=True)
    max_depth = models.SmallIntegerField(null=True, verbose_name="levels allowed inside")
    deadline = models.DateTimeField(null=True)
    steps = models.BigIntegerField()
    held_steps = models.BigIntegerField()
    charged_microcredits = models.BigIntegerField()
    held_microcredits = models.BigIntegerField()
    cost_nanousd = models.BigIntegerField()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "run_line"
        verbose_name = "run"
        ordering = ["-opened_at"]

    def __str__(self) -> str:
        return self.key


@admin.register(RunLine)
class RunLineAdmin(LinesAdmin):
    """Runs, newest first; the page of one shows everything inside it and every call."""

    table: ClassVar[str] = "run"
    row_key: ClassVar[str] = "run_id"
    list_display = (
        "customer",
        "key",
        "show_status",
        "depth",
        "show_steps",
        "show_credits",
        "show_held",
        "show_cost",
        "user_key",
        "opened_at",
    )
    list_filter = ("status", ("depth", admin.AllValuesFieldListFilter))
    fields = (
        ("customer", "key", "user_key"),
        ("show_status", "show_parent"),
        ("show_steps", "show_cost"),
        ("show_credits", "show_held"),
        ("max_depth", "deadline"),
        ("opened_at", "closed_at"),
    )
    change_form_after_template = "entitlements/run_tree.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        line = self.get_object(request, object_id)
        run = runs_of(line.customer_id).filter(id=line.run_id).first() if line else None
        context = (extra_context or {}) | (tree_context(tree_of(run)) if run else {})
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    @display(description="Status", ordering="status", label={"open": "info", "closed": "default"})
    def show_status(self, line: RunLine) -> str:
        return line.get_status_display()

    @display(description="Inside")
    def show_parent(self, line: RunLine) -> Any:
        parent = line.ancestors and runs_of(line.customer_id).filter(id=line.ancestors[-1]).first()
        return line_link("runline", line.customer_id, parent.id, parent.key) if parent else "–"

    @display(description="Steps", ordering="steps")
    def show_steps(self, line: RunLine) -> str:
        return count_of(line.steps, line.max_steps)

    @display(description="Credits", ordering="charged_microcredits")
    def show_credits(self, line: RunLine) -> str:
        return credits_of(line.charged_microcredits, line.max_microcredits)

    @display(description="Held", ordering="held_microcredits")
    def show_held(self, line: RunLine) -> str:
        return credits_of(line.held_microcredits)

    @display(description="Cost (USD)", ordering="cost_nanousd")
    def show_cost(self, line: RunLine) -> str:
        return cost_of(line.cost_nanousd, line.max_cost_nanousd)


def tree_context(tree: Tree) -> dict[str, Any]:
    """For the template entitlements/run_tree.html: the levels as an indented table, and the first calls."""
    run = tree.run
    calls = list(calls_in(tree.runs).order_by("occurred_at", "key_digest")[: MOST_CALLS + 1])
    return {
        "levels": {
            "headers": ["Run", "Status", "Steps", "Credits", "Held", "Cost (USD)", "Opened", "Closed"],
            "rows": [_level(tree, each) for each in _walk(tree, run)],
        },
        "more_runs": tree.more,
        "calls": _calls(calls[:MOST_CALLS]),
        "more_calls": len(calls) > MOST_CALLS,
        "all_calls_url": list_url("usageline", run.customer_id, run_key=run.key),
    }


def _walk(tree: Tree, run: Run) -> list[Run]:
    """The run, then each run inside it followed by what is inside that one."""
    return [run, *(inner for each in tree.inside.get(run.id, ()) for inner in _walk(tree, each))]


def _level(tree: Tree, run: Run) -> list[Any]:
    link = line_link("runline", run.customer_id, run.id, run.key)
    return [
        format_html(
            '<span style="padding-left: {}rem">{}</span>', 1.5 * (len(run.ancestors) - len(tree.run.ancestors)), link
        ),
        run.get_status_display(),
        count_of(run.steps, run.max_steps),
        credits_of(run.charged_microcredits, run.max_microcredits),
        credits_of(run.held_microcredits),
        cost_of(run.cost_nanousd, run.max_cost_nanousd),
        at(run.opened_at),
        at(run.closed_at),
    ]


def _calls(calls: list[UsageEvent]) -> dict[str, Any]:
    features = feature_keys({call.feature_id for call in calls})
    return {
        "headers": ["When", "Run", "Call", "Feature", "Model", "Tokens in → out", "Credits", "Cost (USD)"],
        "rows": [
            [
                at(call.occurred_at),
                call.run_key,
                line_link("usageline", call.customer_id, call.key_digest, call.key),
                features.get(call.feature_id, ""),
                call.model,
                f"{call.input_tokens:,} → {call.output_tokens:,}",
                credits_of(call.charged_microcredits),
                cost_of(call.cost_nanousd),
            ]
            for call in calls
        ],
    }
