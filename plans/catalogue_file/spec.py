"""The catalogue file's form. What each member means: plans/README.md; what it may say: here.

`plain` is the canonical form: builtins with defaults left out, the same for equal content, whether
it came from a file or from the database. Comparison and export both use it.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field
from msgspec.structs import FieldInfo, fields

from kernel.clock import format_instant
from plans.catalogue_file.values import Credits, LimitValue, Price, Value

Key = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=64)]
ModelKey = Annotated[str, Meta(min_length=1, max_length=128)]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
Small = Annotated[int, Meta(ge=0, le=32_767)]
Number = Annotated[int, Meta(ge=1, le=2_147_483_647)]
Percent = Annotated[int, Meta(ge=1, le=100)]
GraceDays = Annotated[int, Meta(ge=0, le=365)]
TokenPrices = dict[str, Credits]


class Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the file: members nobody knows are refused, members left out have their default."""


class FeatureSpec(Spec, frozen=True, kw_only=True):
    name: Name
    kind: Literal["boolean", "static", "metered"] = "metered"
    description: str = ""


class TierSpec(Spec, frozen=True, kw_only=True):
    name: Name
    rank: Small


class ModelSpec(Spec, frozen=True, kw_only=True):
    name: Name
    provider: Annotated[str, Meta(min_length=1, max_length=32)]
    tier: str
    aliases: list[ModelKey] = []
    prefixes: list[Annotated[str, Meta(min_length=1, max_length=200)]] = []
    patterns: list[Annotated[str, Meta(min_length=1, max_length=200)]] = []


class RateSpec(Spec, frozen=True, kw_only=True):
    """A rate row: what it applies to, then what it costs in credits."""

    feature: str | None = None
    model: str | None = None
    tier: str | None = None
    action: Credits = Credits(0)
    minimum: Credits = Credits(0)
    each: TokenPrices = {}
    per_1k: TokenPrices = field(default_factory=dict, name="per_1k")
    per_1m: TokenPrices = field(default_factory=dict, name="per_1M")

    @property
    def selector(self) -> str:
        """What the row applies to, as a name: ``chat · economy``."""
        return " · ".join(part for part in (self.feature, self.model, self.tier) if part) or "everything"

    @property
    def prices(self) -> list[tuple[str, Credits, int]]:
        """(usage kind, credits, per how many) of each token rate."""
        by_unit = ((self.each, 1), (self.per_1k, 1_000), (self.per_1m, 1_000_000))
        return [(kind, price, per) for prices, per in by_unit for kind, price in prices.items()]


class RateCardVersionSpec(Spec, frozen=True, kw_only=True):
    number: Number
    start: Annotated[datetime, Meta(tz=True)] = field(name="from")
    rounding: Literal["up", "half_up", "half_even", "down"] = "up"
    round_to: Credits = Credits(1)
    rates: list[RateSpec] = []


class RateCardSpec(Spec, frozen=True, kw_only=True):
    name: Name
    versions: list[RateCardVersionSpec] = []


class AllowanceSpec(Spec, frozen=True, kw_only=True):
    """Included credits: how many, how often, how many may move into the next period, and burn priority."""

    credits: Credits = Credits(0)
    renews: Literal["never", "day", "week", "month", "year"] = "month"
    rollover_max: Credits = Credits(0)
    priority: Small = 50


class OverageSpec(Spec, frozen=True, kw_only=True):
    """Use beyond what is left: the price of a credit, where it stops each period, and from when it is invoiced."""

    price: Price | None = None
    spend_cap: Credits | None = None
    invoice_at: Credits | None = None


class GraceSpec(Spec, frozen=True, kw_only=True):
    """What a subscriber may do whose payment is overdue, after so many days in which nothing changes."""

    policy: Literal["keep", "soft_limit", "block"] = "keep"
    days: GraceDays = 0


class EntitlementSpec(Spec, frozen=True, kw_only=True):
    feature: str
    up_to: str | None = None
    at_limit: Literal["deny", "downgrade", "overage"] = "deny"
    config: Any = None


class LimitSpec(Spec, frozen=True, kw_only=True):
    """`value` is whole calls or tokens, or decimal credits or (for cost) US dollars."""

    key: Key
    scope: Literal["customer", "user", "run", "plan", "everyone"] = "customer"
    feature: str | None = None
    tier: str | None = None
    unit: Literal["calls", "credits", "cost", "tokens"]
    window: Literal["draw", "minute", "hour", "day", "period", "run", "lifetime"]
    kind: Literal["hard", "soft"] = "hard"
    value: LimitValue
    warn_at: list[Percent] = []


class PlanTermsSpec(Spec, frozen=True, kw_only=True):
    """What a plan version fixes for its subscribers."""

    price: Price = Price.of(Decimal(0), "USD")
    interval: Literal["month", "year"] = "month"
    rate_card: str
    allowance: AllowanceSpec = AllowanceSpec()
    overage: OverageSpec = OverageSpec()
    grace: GraceSpec = GraceSpec()
    unpriced: Literal["allow", "deny"] = "allow"
    entitlements: list[EntitlementSpec] = []
    fallbacks: list[str] = []
    limits: list[LimitSpec] = []


class PlanNameSpec(Spec, frozen=True, kw_only=True):
    """What all versions of a plan share. It may change while subscribers hold it."""

    name: Name
    description: str = ""


class PlanSpec(PlanTermsSpec, frozen=True, kw_only=True):
    """A plan: its name, the number of the version described, and that version's terms."""

    name: Name
    description: str = ""
    version: Number | None = None


class PackSpec(Spec, frozen=True, kw_only=True):
    name: Name
    credits: Credits
    bonus: Credits = Credits(0)
    price: Price
    expires_after_days: Annotated[int, Meta(ge=1, le=36_500)] | None = None
    position: Small = 0
    active: bool = True


class CatalogueSpec(Spec, frozen=True, kw_only=True):
    """A whole file, or the whole database. What a file does not mention is left alone."""

    features: dict[str, FeatureSpec] = {}
    tiers: dict[str, TierSpec] = {}
    models: dict[str, ModelSpec] = {}
    rate_cards: dict[str, RateCardSpec] = {}
    plans: dict[str, PlanSpec] = {}
    top_up_packs: dict[str, PackSpec] = {}


SECTIONS: dict[str, type[Spec]] = {
    "features": FeatureSpec,
    "tiers": TierSpec,
    "models": ModelSpec,
    "rate_cards": RateCardSpec,
    "plans": PlanSpec,
    "top_up_packs": PackSpec,
}
"""The file's sections, in the order things refer to each other."""


def read_value(kind: type[Any], raw: Any) -> Any:
    """msgspec's hook for the amounts of values.py."""
    if issubclass(kind, Value):
        return kind.read(raw)
    raise TypeError(f"no way to read {kind.__name__}")


def plain(node: Any, *, complete: bool = False) -> Any:
    """The canonical form of a part: dictionaries, lists, text and numbers.

    Members that have their default are left out unless the form is to be `complete`.
    """
    match node:
        case Spec():
            members = ((member, getattr(node, member.name)) for member in fields(node))
            return {
                member.encode_name: plain(value, complete=complete)
                for member, value in members
                if complete or member.required or value != member_default(member)
            }
        case Value():
            return node.plain()
        case datetime():
            return format_instant(node)
        case dict():
            return {key: plain(value, complete=complete) for key, value in node.items()}
        case list():
            return [plain(value, complete=complete) for value in node]
    return node


def member_default(member: FieldInfo) -> Any:
    """What a member left out of the file stands for."""
    return member.default if member.default_factory is msgspec.NODEFAULT else member.default_factory()


def plan_terms(plan: PlanSpec) -> PlanTermsSpec:
    """The part of a plan that a version fixes."""
    return PlanTermsSpec(**{name: getattr(plan, name) for name in PlanTermsSpec.__struct_fields__})


class StoredVersion(msgspec.Struct, frozen=True):
    """A version of a plan or rate card in the database, and whether it may still change."""

    status: str
    terms: PlanTermsSpec | RateCardVersionSpec

    @property
    def is_draft(self) -> bool:
        return self.status == "draft"


class Stored(msgspec.Struct, frozen=True):
    """The database's catalogue: `spec` as an export writes it, and every version there is, by number.

    A plan's `spec` is its draft, or else the newest published version; with neither it is left out.
    """

    spec: CatalogueSpec
    plan_names: dict[str, PlanNameSpec]
    plan_versions: dict[str, dict[int, StoredVersion]]
    rate_card_versions: dict[str, dict[int, StoredVersion]]
