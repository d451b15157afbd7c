"""Django settings: everything comes from the environment, with defaults that suit one machine."""

import os
from pathlib import Path

import dj_database_url
from django.templatetags.static import static
from django.urls import reverse_lazy

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("DATA_DIR", BASE_DIR / ".data"))


def _flag(name: str, default: bool) -> bool:
    return os.environ.get(name, str(default)).lower() in {"1", "true", "yes", "on"}


# Development is the default so that `make run` needs no configuration; the Dockerfile turns it off.
DEBUG = _flag("WEIR_DEBUG", True)
SECRET_KEY = os.environ.get("SECRET_KEY", "")
if not SECRET_KEY:
    if not DEBUG:
        raise RuntimeError("SECRET_KEY must be set when WEIR_DEBUG is off")
    SECRET_KEY = "development-only-not-secret"  # noqa: S105 - its name says it
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [origin for origin in os.environ.get("CSRF_TRUSTED_ORIGINS", "").split(",") if origin]

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "djmoney",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "access",
    "plans",
    "metering",
    "entitlements",
    "billing",
    "margins",
    "portal",
    "demo",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "access.middleware.RequestLogMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# The entry points (manage.py, asgi, celery, tests) put the embedded server's URL into the
# environment first. Importing settings alone never starts a server, so tools can read them.
DATABASE_URL = os.environ.get("DATABASE_URL", "postgresql://weir@127.0.0.1:1/weir")
DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=60, conn_health_checks=True)}
DATABASES["default"]["TEST"] = {"NAME": os.environ.get("TEST_DATABASE")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
# A date that sorts, on one line, in every list of the admin.
FORMAT_MODULE_PATH = "config.formats"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = False

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _flag("TRUST_PROXY", False) else None

# An event of 10,000 is the largest body anything here accepts; see entitlements/gate.
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024

CURRENCIES = ("USD", "EUR", "GBP", "JPY", "KWD")
DEFAULT_CURRENCY = "USD"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["access.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["access.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["access.parsers.JsonParser"],
    "DEFAULT_SCHEMA_CLASS": "access.openapi.Schema",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_PAGINATION_CLASS": "access.pagination.CursorPagination",
    "EXCEPTION_HANDLER": "access.problems.problem_response",
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": True,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Weir",
    "DESCRIPTION": "Usage-based billing and entitlements for AI products.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "/static/weir/favicon.svg",
    "REDOC_DIST": "SIDECAR",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": r"/v1/",
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums"],
}

LOGGING_CONFIG = None  # structlog, set up below, so that every line has one shape.
LOG_LEVEL = os.environ.get("LOG_LEVEL", "INFO")
LOG_JSON = _flag("LOG_JSON", not DEBUG)

CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL") or DATABASE_URL.replace("postgresql://", "pgmq://", 1).replace(
    "postgres://", "pgmq://", 1
)

# Money in. Without a key nothing is sold; `make run` then starts a sandbox and sets these for its processes.
STRIPE_SECRET_KEY = os.environ.get("STRIPE_SECRET_KEY", "")
STRIPE_API_BASE = os.environ.get("STRIPE_API_BASE", "")
# Several, separated by commas, while an endpoint's secret is being rotated.
STRIPE_WEBHOOK_SECRET = os.environ.get("STRIPE_WEBHOOK_SECRET", "")
STRIPE_LIVE = _flag("STRIPE_LIVE", False)
# Where a customer lands who paid by a link that nobody gave a way back.
STRIPE_RETURN_URL = os.environ.get("PUBLIC_URL") or f"http://127.0.0.1:{os.environ.get('PORT') or 8000}/"
STRIPE_AUTOMATIC_TAX = _flag("STRIPE_AUTOMATIC_TAX", False)

# Whether our webhooks may go to loopback and private addresses, and over plain http on this machine. Never to
# link-local and metadata addresses.
WEBHOOKS_TO_PRIVATE_NETWORKS = _flag("WEBHOOKS_TO_PRIVATE_NETWORKS", DEBUG)

# The customers' own pages: their headline, and the address browsers know this service by, if not the caller's.
PORTAL_NAME = os.environ.get("PORTAL_NAME", "Credits and billing")
PUBLIC_URL = os.environ.get("PUBLIC_URL", "")
if PUBLIC_URL:
    # Behind a proxy that ends TLS, forms come from an origin this process does not see itself at.
    CSRF_TRUSTED_ORIGINS.append("/".join(PUBLIC_URL.split("/")[:3]))
# Where their forms lead on to: Stripe's payment page and customer portal, or the sandbox's, at another port of this
# machine. Your own domain, if you gave Stripe's pages one.
PORTAL_FORM_TARGETS = os.environ.get("PORTAL_FORM_TARGETS", "").split() or [
    "https://checkout.stripe.com",
    "https://billing.stripe.com",
    *(["http://127.0.0.1:*", "http://localhost:*"] if STRIPE_API_BASE else []),
]

# What beat wakes; every task looks for what is due, so a missed or doubled tick changes nothing.
CELERY_BEAT_SCHEDULE = {
    # What waits for a worker longer than until the next of its kind is not needed any more.
    "stripe-events": {"task": "billing.tasks.process_events", "schedule": 15.0, "options": {"expires": 15}},
    "stripe-sweep": {"task": "billing.tasks.reconcile", "schedule": 300.0, "options": {"expires": 300}},
    "auto-top-ups": {"task": "billing.tasks.top_up", "schedule": 5.0, "options": {"expires": 5}},
    # Reports count what is not added up yet; this keeps it little.
    "revenue": {"task": "margins.tasks.add_up_revenue", "schedule": 30.0},
    # With the seconds a gate keeps them, well within the sixty a figure is fresh.
    "margin-figures": {"task": "margins.tasks.refresh_margin_figures", "schedule": 30.0},
    # Asking wakes a worker; this finds what one that died has left.
    "simulations": {"task": "margins.tasks.answer_simulations", "schedule": 60.0},
    "subscriptions": {"task": "billing.tasks.keep_subscriptions", "schedule": 30.0},
    "overage": {"task": "billing.tasks.collect_overage", "schedule": 60.0},
    # An endpoint that lets us wait must not pile up rounds behind the one that waits.
    "webhooks": {"task": "billing.tasks.send_webhooks", "schedule": 5.0, "options": {"expires": 5}},
}

UNFOLD = {
    "SITE_TITLE": "Weir",
    "SITE_HEADER": "Weir",
    "SITE_SUBHEADER": "Usage, credits, margin",
    "SITE_SYMBOL": "water",
    "SITE_URL": "/margins/",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("weir/favicon.svg")},
    ],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": True,
    "STYLES": [],
    "COLORS": {
        "primary": {
            "50": "240 249 250",
            "100": "216 240 243",
            "200": "180 224 230",
            "300": "129 201 212",
            "400": "73 169 186",
            "500": "46 141 160",
            "600": "37 114 133",
            "700": "34 93 109",
            "800": "33 77 91",
            "900": "31 65 78",
            "950": "15 42 53",
        },
    },
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": [
            {
                "title": "Money kept",
                "items": [{"title": "Margins", "icon": "monitoring", "link": "/margins/"}],
            },
            {
                "title": "What is sold",
                "separator": True,
                "items": [
                    {"title": "Plans", "icon": "sell", "link": reverse_lazy("admin:plans_plan_changelist")},
                    {"title": "Features", "icon": "widgets", "link": reverse_lazy("admin:plans_feature_changelist")},
                    {
                        "title": "Model tiers",
                        "icon": "stairs",
                        "link": reverse_lazy("admin:plans_modeltier_changelist"),
                    },
                    {"title": "Models", "icon": "neurology", "link": reverse_lazy("admin:plans_aimodel_changelist")},
                    {
                        "title": "Rate cards",
                        "icon": "price_change",
                        "link": reverse_lazy("admin:plans_ratecard_changelist"),
                    },
                    {
                        "title": "Top-up packs",
                        "icon": "add_card",
                        "link": reverse_lazy("admin:plans_topuppack_changelist"),
                    },
                ],
            },
            {
                "title": "Customers",
                "separator": True,
                "items": [
                    {
                        "title": "Customers",
                        "icon": "groups",
                        "link": reverse_lazy("admin:entitlements_customer_changelist"),
                    },
                    {
                        "title": "Subscriptions",
                        "icon": "autorenew",
                        "link": reverse_lazy("admin:entitlements_subscription_changelist"),
                    },
                    {
                        "title": "Credit grants",
                        "icon": "redeem",
                        "link": reverse_lazy("admin:entitlements_grantline_changelist"),
                    },
                    {
                        "title": "Ledger",
                        "icon": "receipt_long",
                        "link": reverse_lazy("admin:entitlements_ledgerline_changelist"),
                    },
                    {
                        "title": "Portal visits",
                        "icon": "visibility",
                        "link": reverse_lazy("admin:portal_portalsession_changelist"),
                    },
                ],
            },
            {
                "title": "Money in",
                "separator": True,
                "items": [
                    {
                        "title": "Top-up orders",
                        "icon": "shopping_cart",
                        "link": reverse_lazy("admin:billing_topuporder_changelist"),
                    },
                    {
                        "title": "Auto top-ups",
                        "icon": "autorenew",
                        "link": reverse_lazy("admin:billing_autotopup_changelist"),
                    },
                    {
                        "title": "Payments",
                        "icon": "credit_card",
                        "link": reverse_lazy("admin:billing_payment_changelist"),
                    },
                    {
                        "title": "Reversals",
                        "icon": "undo",
                        "link": reverse_lazy("admin:billing_reversal_changelist"),
                    },
                    {
                        "title": "Stripe subscriptions",
                        "icon": "event_repeat",
                        "link": reverse_lazy("admin:billing_stripesubscription_changelist"),
                    },
                    {
                        "title": "Invoices",
                        "icon": "request_quote",
                        "link": reverse_lazy("admin:billing_stripeinvoice_changelist"),
                    },
                    {
                        "title": "Overage",
                        "icon": "trending_up",
                        "link": reverse_lazy("admin:billing_overageitem_changelist"),
                    },
                    {
                        "title": "Stripe prices",
                        "icon": "price_check",
                        "link": reverse_lazy("admin:billing_stripeprice_changelist"),
                    },
                    {
                        "title": "Stripe customers",
                        "icon": "person_search",
                        "link": reverse_lazy("admin:billing_stripecustomer_changelist"),
                    },
                    {
                        "title": "Stripe events",
                        "icon": "notifications",
                        "link": reverse_lazy("admin:billing_stripeevent_changelist"),
                    },
                ],
            },
            {
                "title": "What it costs us",
                "separator": True,
                "items": [
                    {
                        "title": "Usage events",
                        "icon": "bolt",
                        "link": reverse_lazy("admin:entitlements_usageline_changelist"),
                    },
                    {
                        "title": "Cost cards",
                        "icon": "payments",
                        "link": reverse_lazy("admin:metering_costcard_changelist"),
                    },
                    {
                        "title": "Re-ratings",
                        "icon": "currency_exchange",
                        "link": reverse_lazy("admin:metering_rerating_changelist"),
                    },
                    {
                        "title": "Other cost lines",
                        "icon": "account_balance",
                        "link": reverse_lazy("admin:margins_costline_changelist"),
                    },
                    {
                        "title": "Exchange rates",
                        "icon": "currency_exchange",
                        "link": reverse_lazy("admin:margins_fxrate_changelist"),
                    },
                    {
                        "title": "Margin settings",
                        "icon": "tune",
                        "link": reverse_lazy("admin:margins_marginsetting_changelist"),
                    },
                    {
                        "title": "Margin guards",
                        "icon": "shield",
                        "link": reverse_lazy("admin:entitlements_marginguard_changelist"),
                    },
                ],
            },
            {
                "title": "Access",
                "separator": True,
                "items": [
                    {"title": "API keys", "icon": "key", "link": reverse_lazy("admin:access_apikey_changelist")},
                    {
                        "title": "Webhook endpoints",
                        "icon": "webhook",
                        "link": reverse_lazy("admin:billing_webhookendpoint_changelist"),
                    },
                    {
                        "title": "Webhook deliveries",
                        "icon": "outgoing_mail",
                        "link": reverse_lazy("admin:billing_webhookdelivery_changelist"),
                    },
                    {"title": "Staff", "icon": "badge", "link": reverse_lazy("admin:auth_user_changelist")},
                    {"title": "API documentation", "icon": "menu_book", "link": "/docs/"},
                ],
            },
        ],
    },
}
