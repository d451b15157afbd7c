"""The plans' routes where the service serves them, without the apps above."""

from django.urls import include, path

urlpatterns = [path("v1/", include("plans.api.urls"))]
