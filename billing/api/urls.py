"""Routes of money in, under /v1/."""

from django.urls import path

from billing.api.auto_top_up import AutoTopUpView
from billing.api.top_ups import TopUpsView, TopUpView

urlpatterns = [
    path("customers/<str:key>/top-ups", TopUpsView.as_view()),
    path("customers/<str:key>/top-ups/<uuid:top_up>", TopUpView.as_view()),
    path("customers/<str:key>/auto-top-up", AutoTopUpView.as_view()),
]
