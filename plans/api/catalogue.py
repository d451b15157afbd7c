"""GET /v1/catalogue, /v1/plans, /v1/plans/{key}, /v1/top-up-packs: what is on sale."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.views import ApiView, ListView
from plans import problems
from plans.api.serializers import CatalogueSerializer, PlanSerializer, TopUpPackSerializer
from plans.models import AIModel, Feature, ModelTier, Plan, TopUpPack
from plans.queries.on_sale import packs_on_sale, plans_on_sale


class CatalogueView(ApiView):
    required_scopes = {"GET": "read"}

    @extend_schema(responses=CatalogueSerializer)
    def get(self, request: Request) -> Response:
        """Features, model tiers, models, plans and top-up packs on sale, in one answer."""
        catalogue = {
            "features": Feature.objects.all(),
            "tiers": ModelTier.objects.all(),
            "models": AIModel.objects.select_related("tier").order_by("tier__rank", "key"),
            "plans": plans_on_sale().order_by("key"),
            "top_up_packs": packs_on_sale(),
        }
        return Response(CatalogueSerializer(catalogue).data)


class PlansView(ListView):
    """Plans on sale, by key, each with the version a new subscriber gets."""

    serializer_class = PlanSerializer
    ordering = ("key",)

    def get_queryset(self) -> QuerySet[Plan]:
        return plans_on_sale()


class PlanView(ApiView):
    required_scopes = {"GET": "read"}

    @extend_schema(responses=PlanSerializer)
    def get(self, request: Request, key: str) -> Response:
        """One plan on sale."""
        plan = plans_on_sale().filter(key=key).first()
        if plan is None:
            raise problems.PlanUnknown(f"No plan {key!r} is on sale.")
        return Response(PlanSerializer(plan).data)


class TopUpPacksView(ListView):
    """Top-up packs on sale, in the order of the buy page."""

    serializer_class = TopUpPackSerializer
    ordering = ("position", "key")

    def get_queryset(self) -> QuerySet[TopUpPack]:
        return packs_on_sale()
