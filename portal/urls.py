"""The customers' own pages under /portal/."""

from django.urls import path

from portal.pages.buy import buy, see_order
from portal.pages.entering import enter, leave
from portal.pages.grants import grants
from portal.pages.invoices import invoices, payment_method
from portal.pages.ledger import ledger
from portal.pages.overview import overview
from portal.pages.plan import plan
from portal.pages.settings import settings
from portal.pages.usage import usage

app_name = "portal"

urlpatterns = [
    path("", overview, name="overview"),
    path("enter", enter, name="enter"),
    path("leave", leave, name="leave"),
    path("usage", usage, name="usage"),
    path("ledger", ledger, name="ledger"),
    path("credits", grants, name="grants"),
    path("buy", buy, name="buy"),
    path("orders/<uuid:key>", see_order, name="order"),
    path("plan", plan, name="plan"),
    path("settings", settings, name="settings"),
    path("invoices", invoices, name="invoices"),
    path("payment-method", payment_method, name="payment_method"),
]
