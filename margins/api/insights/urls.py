"""Routes under /v1/insights/."""

from django.urls import path

from margins.api.insights.changes import BridgeView, RunsInsightView
from margins.api.insights.checklist import ChecklistView
from margins.api.insights.people import CohortsView, FeaturesView, PeopleView
from margins.api.insights.savings import SavingsView

urlpatterns = [
    path("people", PeopleView.as_view()),
    path("cohorts", CohortsView.as_view()),
    path("features", FeaturesView.as_view()),
    path("bridge", BridgeView.as_view()),
    path("runs", RunsInsightView.as_view()),
    path("savings", SavingsView.as_view()),
    path("checklist", ChecklistView.as_view()),
]
