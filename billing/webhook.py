"""POST /webhooks/stripe: prove it, remember it, answer. The work is done elsewhere."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from access.problems import problem_http
from billing.convergence.inbox import keep_events
from billing.stripe.webhooks import BadSignature, read_webhook
from billing.tasks import process_events, wake
from kernel.clock import utc_now


@csrf_exempt  # Stripe has no session here; its signature proves more than a token would
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """Keep the event and answer 200, known before or not. A signature that does not prove it: 400, nothing kept."""
    try:
        notice = read_webhook(request.body, request.headers.get("Stripe-Signature"))
    except BadSignature as problem:
        return problem_http(problem)
    if notice is not None and keep_events([notice], now=utc_now()):
        wake(process_events)
    return HttpResponse(status=200)
