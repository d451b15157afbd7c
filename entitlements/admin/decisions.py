from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.decorators import action, display

from entitlements.admin.lines import Line, LinesAdmin
from entitlements.admin.links import as_json, line_link
from entitlements.models import Decision, Hold
from entitlements.models.fields import RecordField
from entitlements.queries.decisions import answer_of
from entitlements.services.decisions import replay
from plans.admin.outcome import go


class DecisionLine(Line):
    """A decision, from the view decision_line."""

    decision_id = models.UUIDField()
    decided_at = models.DateTimeField()
    decision = models.TextField()
    reason = models.TextField()
    revision = models.BigIntegerField(verbose_name="catalogue revision")
    question = RecordField()
    account = RecordField()
    answer = RecordField()

    class Meta:
        managed = False
        db_table = "decision_line"
        verbose_name = "decision"
        ordering = ["-decided_at"]

    def __str__(self) -> str:
        return f"{self.decision}: {self.reason}"


class DecisionFilter(admin.SimpleListFilter):
    """By the answer."""

    title = parameter_name = "decision"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(word, word) for word in ("allow", "downgrade", "deny")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(decision=self.value()) if self.value() else queryset


@admin.register(DecisionLine)
class DecisionLineAdmin(LinesAdmin):
    """Holds, downgrades and denials, newest first; each can be decided again."""

    table: ClassVar[str] = "decision"
    row_key: ClassVar[str] = "decision_id"
    list_display = ("customer", "decided_at", "show_decision", "reason", "show_asked", "show_limiting")
    list_filter = (DecisionFilter,)
    fields = (
        ("customer", "decided_at"),
        ("show_decision", "reason"),
        ("revision", "show_hold"),
        "show_answer",
        "show_question",
        "show_account",
    )
    actions_detail = ("replay",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[DecisionLine]":
        lines: QuerySet[DecisionLine] = super().get_queryset(request).defer("account")
        return lines

    @display(
        description="Decision",
        ordering="decision",
        label={"allow": "success", "downgrade": "warning", "deny": "danger"},
    )
    def show_decision(self, line: DecisionLine) -> str:
        return line.decision

    @display(description="Asked")
    def show_asked(self, line: DecisionLine) -> str:
        asked = line.question
        return " · ".join(part for part in (asked["feature"], asked.get("model"), asked.get("user_key")) if part)

    @display(description="Limited by")
    def show_limiting(self, line: DecisionLine) -> str:
        limiting = line.answer["answer"].get("limiting")
        return f"{limiting['limit']} ({limiting['scope']})" if limiting else "–"

    @display(description="Hold")
    def show_hold(self, line: DecisionLine) -> Any:
        hold = Hold.objects.filter(customer_id=line.customer_id, id=line.decision_id).first()
        return line_link("holdline", line.customer_id, hold.id, hold.key) if hold else "–"

    @display(description="Answer")
    def show_answer(self, line: DecisionLine) -> str:
        """As its caller read it."""
        decision = Decision.objects.get(customer_id=line.customer_id, id=line.decision_id)
        return as_json(answer_of(decision))

    @display(description="Question")
    def show_question(self, line: DecisionLine) -> str:
        """As the decision read it: amounts are microcredits and nano-USD."""
        return as_json(line.question)

    @display(description="Account")
    def show_account(self, line: DecisionLine) -> str:
        return as_json(line.account)

    @action(description="Decide it again", url_path="replay", icon="replay")
    def replay(self, request: HttpRequest, object_id: str) -> HttpResponse:
        line = self.found(request, object_id)
        outcome = replay(line.customer_id, line.decision_id)
        if outcome.recorded_revision != outcome.revision_now:
            then_and_now = f"revision {outcome.recorded_revision} then, {outcome.revision_now} now"
            messages.info(request, f"What is sold has changed meanwhile: {then_and_now}.")
        for difference in outcome.differences:
            messages.warning(request, f"The answer differs now. {difference}")
        if not outcome.differences:
            messages.success(request, "The same inputs give the same answer.")
        return go(request, reverse("admin:entitlements_decisionline_change", args=[object_id]))
