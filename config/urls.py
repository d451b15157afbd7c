"""Every URL Django serves. The gate's (check, usage) are routed before Django, in config/asgi.py."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from access.health import healthz, readyz
from config import docs_views

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/")),
    path("favicon.ico", RedirectView.as_view(url="/static/weir/favicon.svg")),
    path("admin/", admin.site.urls),
    path("margins/", include("margins.urls")),
    path("v1/", include("entitlements.api.urls")),
    path("v1/", include("plans.api.urls")),
    path("v1/", include("metering.api.urls")),
    path("portal/", include("portal.urls")),
    path("v1/", include("margins.api.urls")),
    path("v1/", include("portal.api.urls")),
    path("v1/", include("billing.api.urls")),
    path("", include("billing.urls")),
    path("v1/openapi.json", docs_views.openapi_json, name="openapi"),
    path("v1/openapi.yaml", docs_views.openapi_yaml),
    path("docs/", docs_views.swagger),
    path("docs/redoc/", docs_views.redoc),
    path("docs/problems", docs_views.problems),
    path("healthz", healthz),
    path("readyz", readyz),
]
