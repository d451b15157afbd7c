"""/v1/simulations: ask "what if" of real usage, see how far the answer is, and compare two."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import CreditsField, InstantField, TextField, UsdField
from access.views import ApiView, ListView, StrictSerializer
from billing.tasks import wake
from entitlements.api.base import TimedView
from kernel.errors import InvalidInput
from kernel.units import format_usd
from margins.api.query import DayField
from margins.models import Simulation, SimulationRow
from margins.queries.simulations import Compared, Figures, Total, compared, figures_of, stored_totals
from margins.services.naming import plan_version_id, rate_card_version_id
from margins.services.simulations import SimulationNotDone, SimulationUnknown, ask
from margins.simulation.scenario import ModelMove, Scenario
from margins.tasks import answer_simulations

MOST_COMPARED = 200


class MoveInput(StrictSerializer):
    """Calls of one model that go to another, with the same tokens."""

    source_model = TextField(max_length=128, help_text="The key of the model, or the id it was reported by.")
    target_model = TextField(max_length=128, help_text="The key of a model of the catalogue.")
    feature = TextField(required=False, allow_null=True, max_length=64, help_text="Only of this feature.")


class SimulationInput(StrictSerializer):
    """What is to be different. What is left out stays as it was; leaving out everything replays what happened."""

    name = TextField(required=False, max_length=100, default="Simulation")
    plan_version = TextField(
        required=False, allow_null=True, help_text="The plan to sell, as `pro/2`: published, retired or a draft."
    )
    instead_of = serializers.ListField(
        child=TextField(max_length=64),
        default=list,
        max_length=50,
        help_text="The plans whose subscribers get it. Default: those on another version of it.",
    )
    rate_card_version = TextField(
        required=False, allow_null=True, help_text="What charges throughout, as `standard/2`: published or a draft."
    )
    cost_cards = serializers.ListField(
        child=serializers.IntegerField(min_value=1),
        default=list,
        max_length=50,
        help_text="Cost cards by id, drafts included, as if they had been published before.",
    )
    moves = MoveInput(many=True, default=list)
    limits = serializers.ChoiceField(
        choices=("enforce", "observe"),
        default="enforce",
        help_text="`enforce`: what a limit, the plan or the balance would have refused does not happen. `observe`: "
        "everything happens, and what is beyond the balance becomes overage or debt, as reported usage does.",
    )
    customers = serializers.ListField(
        child=TextField(max_length=128), default=list, max_length=1000, help_text="Only these. Default: everyone."
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python's, so these two cannot be declared like the rest."""
        start = DayField(source="start", help_text="The first UTC day.")
        end = DayField(source="end", help_text="The UTC day before which to stop.")
        return {"from": start, "to": end, **super().get_fields()}


@extend_schema_field(
    {"type": ["string", "null"], "format": "decimal", "example": "29", "description": "In the customers' currency."}
)
class NanoField(serializers.Field[int, str, str, Any]):
    """Nano-units of a currency inside, a decimal string in JSON. For answers only."""

    def to_representation(self, value: int) -> str:
        return format_usd(value)


class FiguresSerializer(serializers.Serializer[Figures]):
    """What calls came to."""

    calls = serializers.IntegerField()
    credits = CreditsField(source="microcredits")
    cost_usd = UsdField(source="cost_nanousd", help_text="What suppliers charged. Other cost lines are left out.")
    revenue = NanoField(source="revenue_nano", help_text="Subscriptions, credits burned, breakage and overage.")
    margin = NanoField(source="margin_nano", allow_null=True, help_text="Null where the revenue is not in USD.")


class TotalSerializer(serializers.Serializer[Total]):
    """The customers of one billing currency together."""

    currency = serializers.CharField()
    customers = serializers.IntegerField()
    real = FiguresSerializer(help_text="What really happened.")
    simulated = FiguresSerializer()
    refused_calls = serializers.IntegerField(help_text="Did not happen: their use is lost, their cost saved.")
    lost_credits = CreditsField(source="lost_microcredits")
    saved_usd = UsdField(source="saved_nanousd")
    downgraded_calls = serializers.IntegerField(help_text="Went to a model of the plan's fallback chain.")
    moved_calls = serializers.IntegerField(help_text="Went to another model because the scenario says so.")
    unpriced_calls = serializers.IntegerField()
    unrated_calls = serializers.IntegerField()
    debt_credits = CreditsField(source="debt_microcredits", help_text="Owed at the end.")
    limited_customers = serializers.IntegerField(help_text="Met a limit, or the end of their credits.")
    refused_customers = serializers.IntegerField()


class SimulationSerializer(serializers.Serializer[Simulation]):
    """A question and how far its answer is."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    author = serializers.CharField()
    state = serializers.ChoiceField(choices=Simulation.State.values)
    percent = serializers.IntegerField(help_text="How much of it is done, 0 to 100.")
    problem = serializers.CharField(help_text="Why it failed.")
    scenario = serializers.JSONField()
    since = InstantField()
    until = InstantField()
    total_calls = serializers.IntegerField()
    done_calls = serializers.IntegerField()
    archived_calls = serializers.IntegerField(help_text="Calls of these days that are archived: not replayed.")
    created_at = InstantField()
    finished_at = InstantField(allow_null=True)
    totals = serializers.SerializerMethodField()

    @extend_schema_field(TotalSerializer(many=True))
    def get_totals(self, simulation: Simulation) -> Any:
        totals: Any = stored_totals(simulation)
        return TotalSerializer(totals, many=True).data


class RowSerializer(serializers.Serializer[SimulationRow]):
    """One customer of a simulation."""

    customer = serializers.CharField(source="customer_key")
    currency = serializers.CharField()
    plan = serializers.CharField(help_text="At the end, in the scenario.")
    real = serializers.SerializerMethodField()
    simulated = serializers.SerializerMethodField()
    refused_calls = serializers.IntegerField()
    lost_credits = CreditsField(source="lost_microcredits")
    saved_usd = UsdField(source="saved_nanousd")
    downgraded_calls = serializers.IntegerField()
    moved_calls = serializers.IntegerField()
    unpriced_calls = serializers.IntegerField()
    debt_credits = CreditsField(source="debt_microcredits")
    first_limit = serializers.CharField(help_text="The limit met first; `balance`, `overage`, or why it was refused.")
    first_limit_at = InstantField(allow_null=True)
    limits = serializers.JSONField(source="details.limits")

    @extend_schema_field(FiguresSerializer)
    def get_real(self, row: SimulationRow) -> Any:
        return FiguresSerializer(figures_of(row, real=True)).data

    @extend_schema_field(FiguresSerializer)
    def get_simulated(self, row: SimulationRow) -> Any:
        return FiguresSerializer(figures_of(row, real=False)).data


class ComparedSerializer(serializers.Serializer[Compared]):
    """One customer in two simulations; null where one has nothing of theirs."""

    customer = serializers.CharField()
    currency = serializers.CharField()
    difference = NanoField(help_text="How much more margin the other has.")
    one = RowSerializer(allow_null=True)
    other = RowSerializer(allow_null=True)


class Comparison(serializers.Serializer[Any]):
    """Two simulations beside each other, the customers whose margin differs most first, up to 200."""

    one = SimulationSerializer()
    other = SimulationSerializer()
    customers = ComparedSerializer(many=True)


class CompareQuery(StrictSerializer):
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`with` is a word of Python's, so it cannot be declared like the rest."""
        return {"with": serializers.IntegerField(source="other", min_value=1, help_text="The other simulation's id.")}


_EXAMPLE = OpenApiExample(
    "A cheaper model for chat",
    value={
        "name": "Chat on the small model",
        "from": "2026-11-01",
        "to": "2026-12-01",
        "moves": [{"source_model": "gpt-4o", "target_model": "gpt-4o-mini", "feature": "chat"}],
    },
    request_only=True,
)


class SimulationsView(TimedView, ListView):
    """Simulations, newest first."""

    required_scopes = {"GET": "read", "POST": "admin"}
    tags = ["simulations"]
    serializer_class = SimulationSerializer
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[Simulation]:
        return Simulation.objects.all()

    @extend_schema(
        request=SimulationInput,
        responses={202: OpenApiResponse(SimulationSerializer, "Asked: a worker replays it")},
        examples=[_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        """Replay a period's real calls under another plan, rate card, cost cards or models."""
        body = self.read(SimulationInput, request)
        caller: Any = request.auth
        with transaction.atomic():
            asked = ask(_scenario(body), name=body["name"], author=f"key {caller.prefix}", now=self.now)
            transaction.on_commit(lambda: wake(answer_simulations))
        return Response(SimulationSerializer(asked).data, status=202)


class SimulationView(ApiView):
    required_scopes = {"GET": "read"}
    tags = ["simulations"]

    @extend_schema(responses=SimulationSerializer)
    def get(self, request: Request, id: int) -> Response:  # noqa: A002 - the name in the path
        """One simulation: how far it is, and its totals by billing currency once it is done."""
        return Response(SimulationSerializer(simulation_of(id)).data)


class SimulationCustomersView(ListView):
    """The customers of a simulation, by id."""

    required_scopes = {"GET": "read"}
    tags = ["simulations"]
    serializer_class = RowSerializer
    ordering = ("customer_id",)

    def get_queryset(self) -> QuerySet[SimulationRow]:
        return SimulationRow.objects.filter(simulation=simulation_of(self.kwargs["id"]))


class CompareView(ApiView):
    required_scopes = {"GET": "read"}
    query_serializer = CompareQuery
    tags = ["simulations"]

    @extend_schema(responses=Comparison)
    def get(self, request: Request, id: int) -> Response:  # noqa: A002 - the name in the path
        """Two finished simulations, in all and by customer."""
        one, other = simulation_of(id), simulation_of(self.query["other"])
        for each in (one, other):
            if each.state != Simulation.State.DONE:
                raise SimulationNotDone(f"{each.name!r} ({each.pk}) is {each.state}")
        rows = compared(one, other)[:MOST_COMPARED]
        return Response(Comparison({"one": one, "other": other, "customers": rows}).data)


def simulation_of(simulation_id: int) -> Simulation:
    """The simulation. Raises SimulationUnknown."""
    found = Simulation.objects.filter(pk=simulation_id).first() if simulation_id < 2**63 else None
    if found is None:
        raise SimulationUnknown(f"there is no simulation {simulation_id}")
    return found


def _scenario(body: dict[str, Any]) -> Scenario:
    plan, card = body.get("plan_version"), body.get("rate_card_version")
    if len(set(body["customers"])) < len(body["customers"]):
        raise InvalidInput("names somebody twice", field="customers")
    return Scenario(
        starts_on=body["start"],
        ends_on=body["end"],
        plan_version_id=plan_version_id(plan) if plan else None,
        instead_of=tuple(body["instead_of"]),
        rate_card_version_id=rate_card_version_id(card) if card else None,
        cost_card_ids=tuple(body["cost_cards"]),
        moves=tuple(
            ModelMove(source=move["source_model"], target=move["target_model"], feature=move.get("feature"))
            for move in body["moves"]
        ),
        limits=body["limits"],
        customers=tuple(body["customers"]),
    )
