"""Serializer fields that the endpoints of money in share."""

from typing import Any, Final
from urllib.parse import urlsplit

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from access.fields import TextField

MAX_URL: Final = 2000


@extend_schema_field({"type": "string", "format": "uri", "maxLength": MAX_URL})
class WebAddressField(TextField):
    """An http or https address a browser is sent to. Stripe's ``{CHECKOUT_SESSION_ID}`` may stand in it."""

    default_error_messages = {"not_web": "must be an http or https URL"}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MAX_URL, **options)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            parts = urlsplit(text)
        except ValueError:
            self.fail("not_web")
        if parts.scheme not in {"http", "https"} or not parts.hostname or any(letter.isspace() for letter in text):
            self.fail("not_web")
        return text


class FailureSerializer(serializers.Serializer[Any]):
    """Why it came to nothing, or has not come through yet."""

    code = serializers.CharField(source="failure_code", help_text="Stripe's decline code, or one of ours.")
    reason = serializers.CharField(source="failure")
