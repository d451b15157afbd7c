"""When a prompt cache pays: the break-even of every prompt family. Pure.

A family is a task on a model: calls that begin alike. Writing a prefix costs more than reading it fresh
(25 % at Anthropic for five minutes, nothing at others), reading it again costs less (90 %, 50 % …). The
real rates are the ones calls were priced by.
"""

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from margins.savings.spend import Model, Prices, Spend, Task

Family = tuple[Task, Model]


class CacheUse(NamedTuple):
    """One prompt family. Tokens are of calls that have prices; amounts in nano-USD, exact.

    `premium` is what writes cost above fresh input, `discount` what reads cost below it.
    """

    task: Task
    model: Model
    calls: int
    input_tokens: int
    read_tokens: int
    written_tokens: int
    premium: Fraction
    discount: Fraction
    input_price: Fraction
    read_price: Fraction
    write_price: Fraction
    """Nano-USD per token at the end of the period; the price of a write is of one kept for five minutes."""

    @property
    def saved(self) -> Fraction:
        return self.discount - self.premium

    @property
    def read_share(self) -> Fraction:
        """The share of input that was read from the cache."""
        return Fraction(self.read_tokens, self.input_tokens) if self.input_tokens else Fraction(0)

    @property
    def write_premium(self) -> Fraction:
        """How much more a write costs than fresh input, as a share of it: 1/4 is 25 %."""
        return self.write_price / self.input_price - 1 if self.input_price else Fraction(0)

    @property
    def read_discount(self) -> Fraction:
        """How much less a read costs than fresh input: 9/10 is 90 %."""
        return 1 - self.read_price / self.input_price if self.input_price else Fraction(0)

    @property
    def break_even(self) -> Fraction | None:
        """Tokens that must be read back for each one written before the cache pays; None where reads are no cheaper.

        25 % more and 90 % less: 0.28, so one hit on every fourth prefix pays already.
        """
        if self.read_discount <= 0:
            return None
        return max(self.write_premium, Fraction(0)) / self.read_discount

    @property
    def reads_per_write(self) -> Fraction | None:
        """Tokens read back for each one written, as it was; None where no writes are counted."""
        return Fraction(self.read_tokens, self.written_tokens) if self.written_tokens else None

    @property
    def is_used(self) -> bool:
        return bool(self.read_tokens or self.written_tokens)

    @property
    def loses(self) -> bool:
        return self.saved < 0


def cache_uses(spends: Iterable[Spend], prices: Prices) -> list[CacheUse]:
    """Every prompt family with a known price, by what its caching saved, losses first."""
    groups: dict[Family, list[Spend]] = defaultdict(list)
    for spend in spends:
        if not spend.memoised and spend.usage.input_tokens:
            groups[spend.task, spend.model].append(spend)
    found = [use for family, group in groups.items() if (use := _use(family, group, prices)) is not None]
    return sorted(found, key=lambda use: (not use.loses, -use.saved, use.task, use.model.key, use.model.reported))


def _use(family: Family, group: list[Spend], prices: Prices) -> CacheUse | None:
    calls = inputs = read = written = 0
    premium = discount = Fraction(0)
    last = None
    for spend in sorted(group, key=lambda one: one.day):
        rates = prices.per_token(spend)
        if rates is None:
            continue
        used, fresh = spend.usage, rates["input_tokens"]
        five, hour = used.cache_write_5m_tokens, used.cache_write_1h_tokens
        calls += spend.calls
        inputs += used.input_tokens
        read += used.cache_read_tokens
        written += five + hour
        premium += five * (rates["cache_write_5m_tokens"] - fresh) + hour * (rates["cache_write_1h_tokens"] - fresh)
        discount += used.cache_read_tokens * (fresh - rates["cache_read_tokens"])
        last = rates
    if last is None:
        return None
    return CacheUse(
        *family,
        calls=calls,
        input_tokens=inputs,
        read_tokens=read,
        written_tokens=written,
        premium=premium,
        discount=discount,
        input_price=last["input_tokens"],
        read_price=last["cache_read_tokens"],
        write_price=last["cache_write_5m_tokens"],
    )
