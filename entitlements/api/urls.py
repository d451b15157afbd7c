"""Routes under /v1/customers."""

from django.urls import path

from entitlements.api.balance import BalanceView, LedgerView
from entitlements.api.customers import CustomerDetailView, CustomersView
from entitlements.api.grants import GrantsView
from entitlements.api.rights import EntitlementsView
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
]
