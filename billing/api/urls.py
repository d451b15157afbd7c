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
from billing.api.webhook_deliveries import WebhookDeliveriesView, WebhookDeliveryView, WebhookResendView
from billing.api.webhook_endpoints import (
    WebhookEndpointsView,
    WebhookEndpointView,
    WebhookSecretView,
    WebhookTestView,
)

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
    path("webhook-endpoints", WebhookEndpointsView.as_view()),
    path("webhook-endpoints/<uuid:endpoint>", WebhookEndpointView.as_view()),
    path("webhook-endpoints/<uuid:endpoint>/rotate-secret", WebhookSecretView.as_view()),
    path("webhook-endpoints/<uuid:endpoint>/test", WebhookTestView.as_view()),
    path("webhook-deliveries", WebhookDeliveriesView.as_view()),
    path("webhook-deliveries/<uuid:delivery>", WebhookDeliveryView.as_view()),
    path("webhook-deliveries/<uuid:delivery>/resend", WebhookResendView.as_view()),
]
