"""Build or buy: from how many tokens a month a server of one's own is cheaper than paying per token. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

from margins.savings.spend import Model, Spend

SECONDS_OF_MONTH: Final = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Server:
    """What is assumed of a server that could answer instead. The defaults are a guess to be replaced by a quote.

    Eight rented GPUs at $2 an hour, with power and people, serving 5,000 tokens a second (input and output) when busy,
    which it is 40 % of the time.
    """

    usd_per_month: int = 12_000
    tokens_per_second: int = 5_000
    busy_percent: int = 40

    @property
    def tokens_per_month(self) -> int:
        return SECONDS_OF_MONTH * self.tokens_per_second * self.busy_percent // 100

    @property
    def nanousd_per_million(self) -> Fraction:
        """What a million tokens cost on a server that is as busy as assumed."""
        return Fraction(self.usd_per_month * 10**9 * 10**6, self.tokens_per_month)


class Verdict(StrEnum):
    """What to do about a model."""

    BUILD = "build"
    """What is bought already costs more than servers for it."""
    BUY = "buy"
    """Servers would pay at some volume, and it is not reached."""
    NEVER = "never"
    """Even a busy server costs more a token than is paid now."""


class Threshold(NamedTuple):
    """One model: what a month of it costs and would have to be. Tokens are input and output; a month is 30 days."""

    model: Model
    tokens_per_month: int
    nanousd_per_month: int
    break_even_tokens: int | None
    """Tokens a month from which one server costs less; None where it never does."""
    verdict: Verdict

    @property
    def nanousd_per_million(self) -> Fraction:
        return Fraction(self.nanousd_per_month * 10**6, self.tokens_per_month)


def thresholds(spends: Sequence[Spend], *, days: int, server: Server) -> list[Threshold]:
    """Every model with a known cost, dearest a month first."""
    tokens: dict[Model, int] = defaultdict(int)
    costs: dict[Model, int] = defaultdict(int)
    for spend in spends:
        if spend.cost_nanousd and not spend.memoised:
            tokens[spend.model] += spend.usage.input_tokens + spend.usage.output_tokens
            costs[spend.model] += spend.cost_nanousd
    found = [
        _threshold(model, tokens[model] * 30 // days, cost * 30 // days, server)
        for model, cost in costs.items()
        if tokens[model] * 30 // days
    ]
    return sorted(found, key=lambda one: (-one.nanousd_per_month, one.model.reported))


def _threshold(model: Model, tokens: int, cost: int, server: Server) -> Threshold:
    paid = Fraction(cost * 10**6, tokens)
    if not paid or paid <= server.nanousd_per_million:
        return Threshold(model, tokens, cost, None, Verdict.NEVER)
    least = -(-server.usd_per_month * 10**9 * 10**6 * tokens // (cost * 10**6))
    servers = -(-tokens // server.tokens_per_month)
    cheaper = servers * server.usd_per_month * 10**9 < cost
    return Threshold(model, tokens, cost, least, Verdict.BUILD if cheaper else Verdict.BUY)
