from kernel.errors import Conflict, InvalidInput, NotFound


class WebhookEndpointUnknown(NotFound):
    code = "webhook_endpoint_unknown"
    title = "There is no such webhook endpoint"


class WebhookDeliveryUnknown(NotFound):
    code = "webhook_delivery_unknown"
    title = "There is no such webhook delivery"


class WebhookUrlRefused(InvalidInput):
    code = "webhook_url_refused"
    title = "Webhooks cannot be sent to this address"


class WebhookEndpointDisabled(Conflict):
    code = "webhook_endpoint_disabled"
    title = "The webhook endpoint is disabled"
