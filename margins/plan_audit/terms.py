"""What an audit looks at and what it says, as plain values. Pure.

Money is in nano-units of the plan's currency and exact (a fraction); credits are microcredits.
"""

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Final

import msgspec

from entitlements.core.pricing import CostSource
from kernel.usage import Usage
from margins.cost_lines import LineTerms
from plans.auditing import Finding
from plans.catalogue import Catalogue
from plans.terms import FeatureTerms, ModelTerms, PlanTerms, RateCardTerms

MICRO: Final = 1_000_000
NANO: Final = 10**9


class Assumptions(msgspec.Struct, frozen=True, kw_only=True):
    """What is taken for granted where nothing has been measured, and how long a period is at most."""

    typical: Usage = Usage(input_tokens=3_000, output_tokens=1_000)
    """An ordinary call, of a feature on a model that has not been used enough to know."""
    largest_input_tokens: int = 200_000
    largest_output_tokens: int = 32_000
    burned_percent: Mapping[str, int] = msgspec.field(default_factory=lambda: {"p50": 50, "p95": 100})
    """How much of what is included a plan's half-way and heavy customers burn, before it has any."""
    metered_credits: Mapping[str, int] = msgspec.field(default_factory=lambda: {"p50": 1_000, "p95": 10_000})
    """How many credits they burn of a plan that includes none."""
    days: Mapping[str, int] = msgspec.field(default_factory=lambda: {"month": 31, "year": 366})


ASSUMED: Final = Assumptions()


class PackTerms(msgspec.Struct, frozen=True):
    """A top-up pack on sale. `microcredits` with its bonus; `price_nano` in the pack's currency."""

    key: str
    microcredits: int
    price_nano: int
    currency: str


class Burn(msgspec.Struct, frozen=True):
    """What one subscriber used in a period, at what suppliers charged for it (nano-USD)."""

    microcredits: int
    cost_nanousd: int


class ObservedUse(msgspec.Struct, frozen=True):
    """What the plan's subscribers used in the last `days`, at the half-way and the heavy one by cost."""

    subscribers: int
    days: int
    p50: Burn
    p95: Burn


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A plan as it would be sold at an instant, with everything its cost depends on.

    `typical` holds the mean call of a (feature id, model key) that is known from real usage, `agents` the features seen
    in runs; `money_per_usd` is what a US dollar costs in the plan's currency, None where nobody says.
    """

    plan: PlanTerms
    catalogue: Catalogue
    card: RateCardTerms | None
    costs: CostSource
    at: datetime
    packs: tuple[PackTerms, ...] = ()
    lines: tuple[LineTerms, ...] = ()
    use: ObservedUse | None = None
    typical: Mapping[tuple[int, str], Usage] = {}
    agents: frozenset[int] = frozenset()
    money_per_usd: Fraction | None = Fraction(1)
    assumed: Assumptions = ASSUMED


class CallFigures(msgspec.Struct, frozen=True):
    """One call: what it is charged and what it costs us."""

    usage: Usage
    microcredits: int
    cost_nano: Fraction
    """The supplier's, and our other costs per call, token and credit."""
    cost_nanousd: int
    """The supplier's alone: what limits on cost count."""

    @property
    def tokens(self) -> int:
        return self.usage.input_tokens + self.usage.output_tokens

    @property
    def cost_per_credit(self) -> Fraction | None:
        """What the supplier takes for a credit's worth of it; None where it is charged nothing."""
        return self.cost_nano * MICRO / self.microcredits if self.microcredits else None


class Option(msgspec.Struct, frozen=True):
    """A feature on a model the plan allows. `typical` is None where the supplier's price is unknown."""

    feature: FeatureTerms
    model: ModelTerms
    overage: bool
    rated: bool
    typical: CallFigures | None
    extremes: tuple[CallFigures, ...]
    """Calls that cost the most for what they are charged, one of which any worst case is made of."""

    @property
    def name(self) -> str:
        return f"{self.feature.key} on {self.model.key}"


class MixLine(msgspec.Struct, frozen=True):
    """How a case is made up: so many calls of a feature on a model."""

    feature: str
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    microcredits: int
    cost_nano: int


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What one customer costs and earns in a period. `cost_nano` is None where nothing bounds it."""

    cost_nano: Fraction | None
    revenue_nano: Fraction | None
    limits: tuple[str, ...] = ()
    """What holds it back."""
    mix: tuple[MixLine, ...] = ()

    @property
    def margin_nano(self) -> Fraction | None:
        return None if self.cost_nano is None or self.revenue_nano is None else self.revenue_nano - self.cost_nano


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """All an audit says of a plan version, for one customer and billing period."""

    plan: PlanTerms
    currency: str
    """Of the figures: the plan's, or US dollars where no exchange rate is known."""
    options: tuple[Option, ...]
    credit_earns_nano: Fraction | None
    """The price over the credits it includes; None where one of them is nothing."""
    dearest: Case
    """The most it can cost."""
    thinnest: Case
    """The least it can leave: overage earns while it costs, so this may be another case."""
    p50: Case
    p95: Case
    use: ObservedUse | None
    findings: tuple[Finding, ...]
