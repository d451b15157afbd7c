"""What can go wrong, as classes with what the service said."""

from typing import Any


class WeirError(Exception):
    """Anything this package raises."""


class Denied(WeirError):
    """The answer was no. `answer` is all of it: reason, limiting, remedy, balance."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(answer["reason"])
        self.answer = answer
        self.reason: str = answer["reason"]


class Refused(WeirError):
    """The service could not take the call: a problem (RFC 9457) with its code and the field at fault."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.problem = problem
        self.code: str = problem.get("code", "")
        self.field: str | None = problem.get("field")
        super().__init__(f"{status} {self.code}: {problem.get('detail') or problem.get('title', '')}")


class Unreachable(WeirError):
    """The service could not be asked, and the feature's outage policy is closed or used up."""
