"""The client: what a backend does around each AI call."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from weir_sdk.errors import Denied, Unreachable
from weir_sdk.holds import Hold
from weir_sdk.http import Wire
from weir_sdk.leases import Lease
from weir_sdk.outage import Journal, Policy

REPORTED_TOGETHER = 1000


class Weir:
    """One service. Threads may share it.

    `outage` says per feature (or "*") what to do while the service cannot be asked: Closed (the default) or
    Open(credits). `tries` counts the first attempt.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str,
        outage: Mapping[str, Policy] | None = None,
        timeout_seconds: float = 10.0,
        tries: int = 3,
    ) -> None:
        self._wire = Wire(base_url, api_key, timeout_seconds=timeout_seconds, tries=tries)
        self._journal = Journal(dict(outage or {}))
        self._dearest: dict[tuple[str, str], Decimal] = {}

    def check(self, customer: str, feature: str, **question: Any) -> dict[str, Any]:
        """The answer to a check: decision, reason, model, limiting, balance, warnings, remedy.

        `question` may name model, user, run, and an estimate by credits, or by input_tokens and max_output_tokens.
        Nothing is held. Raises Refused, Unreachable.
        """
        asked = _asked(customer, feature, question)
        return self._ask(asked)

    def hold(self, customer: str, feature: str, *, key: str, ttl_seconds: int = 300, **question: Any) -> Hold:
        """Check, and hold the estimate's credits. Raises Denied when the answer is no; Refused, Unreachable."""
        asked = _asked(customer, feature, question) | {"hold": {"key": key, "ttl_seconds": ttl_seconds}}
        answer = self._ask(asked)
        if answer["decision"] == "deny":
            raise Denied(answer)
        return Hold(self, asked, answer)

    def usage(self, customer: str, feature: str, *, key: str, **parts: Any) -> dict[str, Any]:
        """Report what happened: `usage` in the provider's own words, or `credits`; once per key.

        Raises Refused, Unreachable.
        """
        return self._wire.post("/v1/usage", {"customer": customer, "feature": feature, "key": key} | parts)

    def usage_batch(self, events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """Report up to 10,000 actions; each comes back with its own result. Raises Refused, Unreachable."""
        return self._wire.post("/v1/usage", {"events": [dict(event) for event in events]})

    def lease(
        self, customer: str, feature: str, *, key: str, credits: str, ttl_seconds: int = 300, refills: bool = True
    ) -> Lease:
        """Credits to spend in process. With `refills` it asks for as much again when it runs out.

        Raises Refused (code insufficient_credits when they are not there), Unreachable.
        """
        wanted = {"key": key, "customer": customer, "feature": feature, "credits": credits, "ttl_seconds": ttl_seconds}
        answer = self._wire.post("/v1/leases", wanted)
        return Lease(self._wire, answer, refill=Decimal(credits if refills else 0), ttl_seconds=ttl_seconds)

    def open_run(self, customer: str, *, key: str, **parts: Any) -> dict[str, Any]:
        """Open a run with a `budget`, inside `parent` if given. Calls name it by `run=key`."""
        return self._wire.post("/v1/runs", {"customer": customer, "key": key} | parts)

    def close_run(self, run_id: str) -> dict[str, Any]:
        """Close a run with everything inside it; what it holds is voided."""
        return self._wire.post(f"/v1/runs/{run_id}/close")

    def balance(self, customer: str) -> dict[str, Any]:
        """What the customer has: posted, held, available, debt, overage."""
        return self._wire.get(f"/v1/customers/{quote(customer, safe='')}/balance")

    def reconcile(self) -> int:
        """Report what was allowed during an outage; how many events are still unreported.

        Calls that reach the service do this by themselves.
        """
        for batch in self._journal.batches(REPORTED_TOGETHER):
            try:
                self.usage_batch(batch)
            except Unreachable:
                break
            self._journal.done(batch)
        return len(self._journal)

    # What a Hold asks of us.

    def settle_hold(self, hold: Hold, body: dict[str, Any]) -> dict[str, Any]:
        """Settle over the wire; a call that was allowed during an outage is kept and reported later."""
        if hold.id is not None:
            return self._wire.post(f"/v1/holds/{hold.id}/settle", body)
        asked = hold.asked
        key = body.get("key") or f"outage:{asked['hold']['key']}"
        event = {"key": key, "customer": asked["customer"], "feature": asked["feature"], "model": hold.model}
        event |= {name: asked[name] for name in ("user", "run") if name in asked}
        event |= {"occurred_at": datetime.now(UTC).isoformat()}
        self._journal.keep(event | {name: value for name, value in body.items() if name not in {"key", "final"}})
        return {"key": key, "status": "kept", "unreported": self.reconcile()}

    def void_hold(self, hold: Hold) -> None:
        """Void over the wire; if nobody can be asked, the hold ends at its deadline."""
        if hold.id is not None:
            try:
                self._wire.post(f"/v1/holds/{hold.id}/void")
            except Unreachable:
                return

    def _ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = self._wire.post("/v1/check", asked)
        except Unreachable:
            return self._without_asking(asked)
        kind = asked["feature"], asked.get("model", "")
        self._dearest[kind] = max(self._dearest.get(kind, Decimal(0)), Decimal(answer.get("credits") or 0))
        self.reconcile()
        return answer

    def _without_asking(self, asked: dict[str, Any]) -> dict[str, Any]:
        """An allow in the feature's outage policy. Raises Unreachable where there is no room for one.

        Nobody here can price tokens: such a call counts as the dearest of its feature and model seen before, else as
        one credit.
        """
        dearest = self._dearest.get((asked["feature"], asked.get("model", "")), Decimal(1))
        credits = Decimal(asked.get("estimate", {}).get("credits", dearest))
        if not self._journal.allows(asked["customer"], asked["feature"], credits):
            raise Unreachable(f"nobody can be asked, and the outage policy of {asked['feature']!r} has no room")
        return {"decision": "allow", "reason": "outage", "model": asked.get("model"), "hold": None, "warnings": []}

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.reconcile()
        self.close()


def _asked(customer: str, feature: str, question: dict[str, Any]) -> dict[str, Any]:
    names = ("credits", "input_tokens", "max_output_tokens")
    estimate = {name: question.pop(name) for name in names if name in question}
    return {"customer": customer, "feature": feature} | question | ({"estimate": estimate} if estimate else {})
