"""GET /v1/insights/checklist."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from margins.api.insights import examples
from margins.api.insights.base import InsightAnswer, InsightView, answered
from margins.checklist.answers import Status
from margins.checklist.asking import checklist
from margins.people.users import people
from margins.queries.margins import Dimension


class AnswerFigures(serializers.Serializer[Any]):
    """A question with its answer."""

    key = serializers.CharField(help_text="Stable.")
    question = serializers.CharField()
    status = serializers.ChoiceField(choices=list(Status))
    evidence = serializers.CharField()
    link = serializers.CharField(help_text="Where to look, or to change it.")


class ChecklistAnswer(InsightAnswer):
    """Whether the margin would survive a bad month."""

    met = serializers.IntegerField(help_text="Questions answered with yes.")
    asked = serializers.IntegerField(help_text="Questions that could be answered.")
    data = AnswerFigures(many=True)  # type: ignore[assignment] # DRF takes declared fields off the class


class ChecklistView(InsightView):
    @extend_schema(responses=ChecklistAnswer, examples=examples.CHECKLIST)
    def get(self, request: Request) -> Response:
        """A checklist of margin resilience, answered from the account's own data."""
        period, now = self.asked()
        by_customer = self.margins(period, Dimension.CUSTOMER, now)
        found = checklist(period, by_customer, people(period, by_customer), now)
        return answered(
            ChecklistAnswer,
            period,
            now,
            met=sum(1 for one in found if one.status is Status.YES),
            asked=sum(1 for one in found if one.status is not Status.UNKNOWN),
            data=[one._asdict() for one in found],
        )
