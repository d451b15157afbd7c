"""Staff pages under /margins/."""

from django.urls import path

from margins.pages import insights, simulations
from margins.pages.downloads import customer_csv, overview_csv
from margins.pages.report import report
from margins.pages.views import customer, overview

app_name = "margins"

urlpatterns = [
    path("", overview, name="overview"),
    path("bridge/", insights.bridge, name="bridge"),
    path("people/", insights.people, name="people"),
    path("features/", insights.features, name="features"),
    path("savings/", insights.savings, name="savings"),
    path("runs/", insights.runs, name="runs"),
    path("checklist/", insights.checklist, name="checklist"),
    path("report/", report, name="report"),
    path("simulations/", simulations.simulations, name="simulations"),
    path("simulations/<int:simulation_id>/", simulations.simulation, name="simulation"),
    path("simulations/<int:simulation_id>/progress/", simulations.progress, name="simulation_progress"),
    path("simulations/<int:simulation_id>/compare/", simulations.compare, name="simulation_compare"),
    path("simulations/<int:simulation_id>/customers.csv", simulations.simulation_csv, name="simulation_csv"),
    path("<str:table>.csv", overview_csv, name="overview_csv"),
    path("customers/<str:key>/", customer, name="customer"),
    path("customers/<str:key>/runs/<uuid:run_id>/", insights.run, name="run"),
    path("customers/<str:key>/<str:table>.csv", customer_csv, name="customer_csv"),
]
