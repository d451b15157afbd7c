"""Routes of the customers' pages in the API."""

from django.urls import path

from portal.api.sessions import PortalSessionsView

urlpatterns = [path("customers/<str:key>/portal-sessions", PortalSessionsView.as_view())]
