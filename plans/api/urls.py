"""Routes under /v1/."""

from django.urls import path

from plans.api.catalogue import CatalogueView, PlansView, PlanView, TopUpPacksView
from plans.api.preview import PreviewView
from plans.api.publishing import PublishPlanView

urlpatterns = [
    path("catalogue", CatalogueView.as_view()),
    path("catalogue/preview", PreviewView.as_view()),
    path("plans", PlansView.as_view()),
    path("plans/<str:key>", PlanView.as_view()),
    path("plans/<str:key>/publish", PublishPlanView.as_view()),
    path("top-up-packs", TopUpPacksView.as_view()),
]
