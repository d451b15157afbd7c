"""Routes under /v1."""

from django.urls import include, path

from margins.api.guards import (
    CustomerGuardsView,
    CustomerGuardView,
    PlanGuardsView,
    PlanGuardView,
    ProjectionView,
)
from margins.api.plan_audit import PlanAuditView
from margins.api.revenue import RevenueView
from margins.api.simulations import CompareView, SimulationCustomersView, SimulationsView, SimulationView
from margins.api.views import CustomerMarginView, MarginsView

urlpatterns = [
    path("insights/", include("margins.api.insights.urls")),
    path("margins", MarginsView.as_view()),
    path("customers/<str:key>/margin", CustomerMarginView.as_view()),
    path("revenue", RevenueView.as_view()),
    path("simulations", SimulationsView.as_view()),
    path("simulations/<int:id>", SimulationView.as_view()),
    path("simulations/<int:id>/customers", SimulationCustomersView.as_view()),
    path("simulations/<int:id>/compare", CompareView.as_view()),
    path("customers/<str:key>/margin-guards", CustomerGuardsView.as_view()),
    path("customers/<str:key>/margin-guards/<str:action>", CustomerGuardView.as_view()),
    path("customers/<str:key>/margin-projection", ProjectionView.as_view()),
    path("plans/<str:key>/audit", PlanAuditView.as_view()),
    path("plans/<str:key>/margin-guards", PlanGuardsView.as_view()),
    path("plans/<str:key>/margin-guards/<str:action>", PlanGuardView.as_view()),
]
