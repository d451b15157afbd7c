"""GET /v1/runs/{id} and /v1/customers/{key}/runs."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import CreditsField, InstantField, TextField, UsdField
from access.views import ListView, StrictSerializer
from entitlements.api.base import CustomerView, NamedView
from entitlements.api.usage import EventPage, EventSerializer
from entitlements.core.runs import RunUnknown
from entitlements.models import Run
from entitlements.queries.runs import Tree, calls_in, parent_of, runs_of, tree_of
from entitlements.queries.usage import feature_keys
from kernel.ids import key_digest, public_id


@extend_schema_field({"type": "string", "example": "run_2a_0192f0c1d2e37a4b8c5d6e7f8091a2b3"})
class RunIdField(serializers.Field[Any, str, str, Any]):
    """The public id of a row of `run`."""

    def to_representation(self, run: Run) -> str:
        return public_id("run", run.customer_id, run.id)


class BudgetSerializer(serializers.Serializer[Run]):
    """What the run may take. Null: as much as the runs around it, the limits and the balance allow."""

    steps = serializers.IntegerField(source="max_steps", allow_null=True)
    credits = CreditsField(source="max_microcredits", allow_null=True)
    cost_usd = UsdField(source="max_cost_nanousd", allow_null=True)
    depth = serializers.IntegerField(source="max_depth", allow_null=True, help_text="Levels of runs inside it.")
    deadline = InstantField(allow_null=True)


class RunSerializer(serializers.Serializer[Run]):
    """A run. Its sums contain those of every run inside it."""

    id = RunIdField(source="*")
    key = serializers.CharField()
    parent_id = serializers.SerializerMethodField()
    depth = serializers.SerializerMethodField()
    status = serializers.CharField(source="get_status_display", help_text="open or closed.")
    user = serializers.CharField(source="user_key")
    budget = BudgetSerializer(source="*")
    steps = serializers.IntegerField(help_text="Calls made; a stream settled in parts is one.")
    held_steps = serializers.IntegerField(help_text="Calls with an open hold.")
    credits = CreditsField(source="charged_microcredits")
    held = CreditsField(source="held_microcredits")
    cost_usd = UsdField(source="cost_nanousd", help_text="Of the calls whose cost is known.")
    opened_at = InstantField()
    closed_at = InstantField(allow_null=True)

    @extend_schema_field({"type": ["string", "null"], "description": "The run it was opened inside."})
    def get_parent_id(self, run: Run) -> str | None:
        parent = parent_of(run)
        return None if parent is None else public_id("run", run.customer_id, parent)

    def get_depth(self, run: Run) -> int:
        """How many runs are around it."""
        return len(run.ancestors)


class RunLevel(RunSerializer):
    """A run with the runs opened inside it."""

    inside = serializers.SerializerMethodField(help_text="Oldest first.")

    @extend_schema_field({"type": "array", "items": {"$ref": "#/components/schemas/RunLevel"}})
    def get_inside(self, run: Run) -> list[dict[str, Any]]:
        tree: Tree = self.context["tree"]
        return [self.to_representation(each) for each in tree.inside.get(run.id, ())]


class RunTree(serializers.Serializer[Any]):
    """A run with everything inside it, and the calls that were made."""

    run = RunLevel()
    more_runs = serializers.BooleanField(help_text="There are runs inside it that are not shown here.")
    calls = EventPage(help_text="Oldest first; each names its run.")


class RunView(NamedView, ListView):
    tags = ["runs"]
    kind, unknown = "run", RunUnknown
    ordering = ("occurred_at", "key_digest")

    @extend_schema(responses=RunTree)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The run with every run inside it, and every call made in them. `calls` comes in pages: `next` is this
        address with the cursor of the following calls. A level's sums are those of its calls and of the levels inside
        it; a call reported before its run was opened is listed but was not counted, an archived one the other way."""
        customer, run_id = self.named()
        run = runs_of(customer.pk).filter(id=run_id).first()
        if run is None:
            raise self.missing()
        tree = tree_of(run)
        calls: Any = self.paginate_queryset(calls_in(tree.runs))
        features = feature_keys({call.feature_id for call in calls})
        page = self.get_paginated_response(EventSerializer(calls, many=True, context={"feature_keys": features}).data)
        shown = RunLevel(run, context={"tree": tree})
        return Response({"run": shown.data, "more_runs": tree.more, "calls": page.data})


class RunsQuery(StrictSerializer):
    status = serializers.ChoiceField(choices=Run.Status.labels, required=False)
    key = TextField(required=False, help_text="The run's own key: finds its id.")


class RunsView(CustomerView, ListView):
    """The customer's runs, newest first."""

    serializer_class = RunSerializer
    query_serializer = RunsQuery
    ordering = ("-opened_at", "id")

    def get_queryset(self) -> "QuerySet[Run]":
        runs = runs_of(self.up_to_date().pk)
        if "status" in self.query:
            runs = runs.filter(status=Run.Status[self.query["status"].upper()])
        return runs.filter(key_digest=key_digest(self.query["key"])) if "key" in self.query else runs
