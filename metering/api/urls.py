"""Routes under /v1/."""

from django.urls import path

from metering.api.reratings import ReratingsView, ReratingView

urlpatterns = [
    path("reratings", ReratingsView.as_view()),
    path("reratings/<int:id>", ReratingView.as_view()),
]
