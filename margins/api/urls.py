"""Routes under /v1."""

from django.urls import path

from margins.api.views import CustomerMarginView, MarginsView

urlpatterns = [
    path("margins", MarginsView.as_view()),
    path("customers/<str:key>/margin", CustomerMarginView.as_view()),
]
