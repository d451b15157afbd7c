"""Routes of customers and of what is theirs. What is POSTed to holds, leases and runs is the gate's."""

from django.urls import path

from entitlements.api.balance import BalanceView, LedgerView
from entitlements.api.customers import CustomerDetailView, CustomersView
from entitlements.api.decisions import DecisionsView, DecisionView
from entitlements.api.grants import GrantsView
from entitlements.api.holds import HoldsView, HoldView
from entitlements.api.limits import LimitsView
from entitlements.api.rights import EntitlementsView
from entitlements.api.runs import RunsView, RunView
from entitlements.api.spend_cap import SpendCapView
from entitlements.api.subscriptions import SubscriptionView
from entitlements.api.usage import UsageView

urlpatterns = [
    path("customers", CustomersView.as_view()),
    path("customers/<str:key>", CustomerDetailView.as_view()),
    path("customers/<str:key>/balance", BalanceView.as_view()),
    path("customers/<str:key>/ledger", LedgerView.as_view()),
    path("customers/<str:key>/usage", UsageView.as_view()),
    path("customers/<str:key>/entitlements", EntitlementsView.as_view()),
    path("customers/<str:key>/grants", GrantsView.as_view()),
    path("customers/<str:key>/subscription", SubscriptionView.as_view()),
    path("customers/<str:key>/limits", LimitsView.as_view()),
    path("customers/<str:key>/spend-cap", SpendCapView.as_view()),
    path("customers/<str:key>/holds", HoldsView.as_view()),
    path("customers/<str:key>/runs", RunsView.as_view()),
    path("customers/<str:key>/decisions", DecisionsView.as_view()),
    path("holds/<str:id>", HoldView.as_view()),
    path("runs/<str:id>", RunView.as_view()),
    path("decisions/<str:id>", DecisionView.as_view()),
]
