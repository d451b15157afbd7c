"""A sandbox process for tests, and its control interface. Needs nothing but the standard library.

with SandboxProcess(webhook_url=url, seed="7") as sandbox:
    sandbox.control("POST", "/sandbox/clock", days=31)
"""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent.parent
SECRET = "whsec_test_of_the_sandbox"
KEY = "sk_test_of_the_sandbox"
START = "2026-11-15T12:00:00Z"
"""Where a sandbox's clock stands still unless a test says otherwise."""


class Refused(Exception):
    """The control interface said no."""


class SandboxProcess:
    """``python -m sandbox`` on a free port, from entering to leaving."""

    def __init__(
        self,
        *,
        webhook_url: str | None = None,
        state: str = ":memory:",
        seed: str = "test",
        start: str | None = START,
        check_answers: bool = False,
        spec: Path | None = None,
    ) -> None:
        self._command = [sys.executable, "-m", "sandbox", "--port", "0", "--state", state, "--seed", seed]
        self._command += ["--webhook-url", webhook_url, "--webhook-secret", SECRET] if webhook_url else []
        self._command += ["--start", start] if start else []
        self._command += ["--check-answers"] if check_answers else []
        self._command += ["--spec", str(spec)] if spec else []
        self.url = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        first = self._process.stdout.readline()
        if not first.startswith("ready: "):
            self._process.wait(10)
            raise RuntimeError(f"the sandbox did not start: {first!r}, exit {self._process.returncode}")
        self.url = first.removeprefix("ready: ").strip()
        self.greeting = self._process.stdout.readline().strip()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def control(self, method: str, path: str, /, **body: Any) -> Any:
        """One call to the control interface. Raises Refused, with what it answered."""
        data = json.dumps(body).encode() if body or method == "POST" else None
        request = urllib.request.Request(self.url + path, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as problem:
            with problem:
                raise Refused(problem.code, json.load(problem)) from None

    # The calls that stories make most

    def pay(self, session: str, method: str = "pm_card_visa", **more: Any) -> Any:
        """Somebody pays a checkout."""
        return self.control("POST", f"/sandbox/checkout/{session}/pay", payment_method=method, **more)

    def later(self, **amount: int) -> None:
        """Time passes: ``days=31``, ``seconds=3600``."""
        self.control("POST", "/sandbox/clock", **amount)

    def fails(self, fault: str, path: str = "*", **more: Any) -> None:
        """The next matching request meets this fault."""
        self.control("POST", "/sandbox/faults", fault=fault, path=path, **more)

    def webhooks(self, **manners: Any) -> None:
        """How webhooks travel from now on."""
        self.control("POST", "/sandbox/webhooks/manners", **manners)

    def settle(self) -> None:
        """Wait until every webhook is where it goes."""
        assert self.control("POST", "/sandbox/webhooks/settle", timeout_seconds=30)["settled"]

    def letters(self, *, after: str | None = None) -> list[Any]:
        """Events as they would be posted, oldest first: for a test that brings them to the service itself."""
        found: list[Any] = self.control("POST", "/sandbox/webhooks/letters", secret=SECRET, after=after)["letters"]
        return found

    def totals(self, customer: str | None = None) -> Any:
        return self.control("GET", f"/sandbox/totals{'/' + customer if customer else ''}")["totals"]

    def violations(self) -> list[Any]:
        found: list[Any] = self.control("GET", "/sandbox/violations")["violations"]
        return found

    def objects(self, kind: str) -> list[Any]:
        """All of a kind, newest first."""
        found: list[Any] = self.control("GET", f"/sandbox/objects/{kind}")["objects"]
        return found
