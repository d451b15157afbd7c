"""A hold: credits set aside for one call, settled with what it used, or given back."""

from decimal import Decimal
from types import TracebackType
from typing import Any, Protocol, Self


class Settles(Protocol):
    """What a hold asks of its client."""

    def settle_hold(self, hold: "Hold", body: dict[str, Any]) -> dict[str, Any]: ...

    def void_hold(self, hold: "Hold") -> None: ...


class Hold:
    """Use as a context manager: left without a settlement it is voided, also by an exception.

    `model` is the one to call: after a downgrade it is not the one that was asked for. `id` is None for a call that was
    allowed during an outage; settling it keeps the usage to be reported.
    """

    def __init__(self, client: Settles, asked: dict[str, Any], answer: dict[str, Any]) -> None:
        self._client = client
        self.asked, self.answer = asked, answer
        self.model: str = answer["model"] or ""
        held = answer.get("hold")
        self.id: str | None = held["id"] if held else None
        self.credits = Decimal(held["credits"]) if held else Decimal(0)
        self.is_over = False

    def settle(
        self, *, usage: dict[str, Any] | None = None, credits: str | None = None, **parts: Any
    ) -> dict[str, Any]:
        """Charge what the call used: the provider's own usage body (or whole response), or credits.

        `final=False` with a `key` settles a part and keeps the rest held. Other members of the API's settlement
        (model, provider, tags, …) may be given by name. Raises Refused, Unreachable.
        """
        body = {"usage": usage, "credits": credits} | parts
        answer = self._client.settle_hold(self, {name: value for name, value in body.items() if value is not None})
        self.is_over = parts.get("final", True)
        return answer

    def void(self) -> None:
        """Give everything back."""
        if not self.is_over:
            self.is_over = True
            self._client.void_hold(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.void()
