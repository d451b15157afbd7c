"""Staff pages under /margins/."""

from django.urls import path

from margins.pages.downloads import customer_csv, overview_csv
from margins.pages.views import customer, overview

app_name = "margins"

urlpatterns = [
    path("", overview, name="overview"),
    path("<str:table>.csv", overview_csv, name="overview_csv"),
    path("customers/<str:key>/", customer, name="customer"),
    path("customers/<str:key>/<str:table>.csv", customer_csv, name="customer_csv"),
]
