"""Stripe's error answers (https://docs.stripe.com/api/errors), each a class with its status and type."""

from typing import Any, ClassVar

Obj = dict[str, Any]
"""A Stripe object, or any part of one, as it travels in JSON."""


class StripeError(Exception):
    """An answer other than 2xx. `keeps_changes`: what was done before it stands, as after a declined charge."""

    status: ClassVar[int] = 400
    type: ClassVar[str] = "invalid_request_error"
    keeps_changes: ClassVar[bool] = False

    def __init__(self, message: str, *, code: str | None = None, param: str | None = None, **extra: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.extra = extra

    def body(self) -> Obj:
        error: Obj = {"type": self.type, "message": self.message}
        if self.code is not None:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param is not None:
            error["param"] = self.param
        return {"error": error | self.extra}


class InvalidRequest(StripeError):
    """The parameters make no sense, or not in this state."""


class Missing(StripeError):
    """No such object."""

    status = 404

    def __init__(self, kind: str, identifier: str, param: str = "id") -> None:
        super().__init__(f"No such {kind}: '{identifier}'", code="resource_missing", param=param)


class MissingReference(Missing):
    """A parameter names an object that does not exist: 400, where a missing object in the path is 404."""

    status = 400


class UnknownUrl(StripeError):
    status = 404


class NotSimulated(StripeError):
    """Stripe would understand this; the sandbox does not, and says so rather than pretend."""

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message, code="sandbox_does_not_simulate", param=param)


class BreaksSpecification(StripeError):
    """Stripe's published specification knows no such request."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(
            f"The request breaks Stripe's published specification: {'; '.join(problems)}",
            code="parameter_unknown" if any("unknown" in problem for problem in problems) else "parameter_invalid",
        )


class Unauthorized(StripeError):
    status = 401


class KeyReused(StripeError):
    type = "idempotency_error"

    def __init__(self, key: str) -> None:
        super().__init__(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. "
            f"Try using a key other than '{key}' if you meant to execute a different request."
        )


class KeyInUse(StripeError):
    status = 409
    type = "idempotency_error"


class TooManyRequests(StripeError):
    status = 429


class ServerError(StripeError):
    status = 500
    type = "api_error"


class CardError(StripeError):
    """The bank said no. The attempt happened: the failed charge and its events stay."""

    status = 402
    type = "card_error"
    keeps_changes = True


class CardErrorUndone(CardError):
    """The bank said no, and the caller had asked that nothing be left behind (``error_if_incomplete``)."""

    keeps_changes = False
