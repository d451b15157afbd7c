"""Routes of money in, under /v1/."""

from django.urls import path

from billing.api.auto_top_up import AutoTopUpView
from billing.api.invoices import InvoicesView, OverageView
from billing.api.subscriptions import (
    StripeSubscriptionView,
    SubscriptionCancelView,
    SubscriptionChangeView,
    SubscriptionCheckoutView,
    SubscriptionResumeView,
    SubscriptionStartView,
)
from billing.api.top_ups import TopUpsView, TopUpView

urlpatterns = [
    path("customers/<str:key>/top-ups", TopUpsView.as_view()),
    path("customers/<str:key>/top-ups/<uuid:top_up>", TopUpView.as_view()),
    path("customers/<str:key>/auto-top-up", AutoTopUpView.as_view()),
    path("customers/<str:key>/subscription/checkout", SubscriptionCheckoutView.as_view()),
    path("customers/<str:key>/subscription/start", SubscriptionStartView.as_view()),
    path("customers/<str:key>/subscription/change", SubscriptionChangeView.as_view()),
    path("customers/<str:key>/subscription/cancel", SubscriptionCancelView.as_view()),
    path("customers/<str:key>/subscription/resume", SubscriptionResumeView.as_view()),
    path("customers/<str:key>/subscription/stripe", StripeSubscriptionView.as_view()),
    path("customers/<str:key>/invoices", InvoicesView.as_view()),
    path("customers/<str:key>/overage", OverageView.as_view()),
]
