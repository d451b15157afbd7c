"""What a top-up gives and costs: so many packs, or a custom amount."""

from decimal import Decimal
from typing import Final

import msgspec
from moneyed import Money

from billing.stripe.amounts import NotChargeable, rounded_up, to_minor
from kernel.errors import Conflict, InvalidInput, NotFound
from kernel.units import MICROCREDITS_PER_CREDIT, format_credits
from plans.models import TopUpPack

LARGEST_MINOR: Final = 99_999_999
"""The most Stripe charges at once: https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts (2026-11)."""

LARGEST_CUSTOM: Final = 1_000_000_000 * MICROCREDITS_PER_CREDIT


class PackUnknown(NotFound):
    code = "pack_unknown"
    title = "No such top-up pack is on sale"


class CustomAmountNotSold(Conflict):
    code = "custom_amount_not_sold"
    title = "Credits are not sold by custom amount in the customer's currency"


class Offer(msgspec.Struct, frozen=True):
    """What is bought with one payment. `pack` is None for a custom amount, priced like a pack."""

    name: str
    pack: TopUpPack | None
    packs: int
    microcredits: int
    bonus_microcredits: int
    amount: Money
    expires_after_days: int | None


def offer_packs(pack: TopUpPack, count: int = 1) -> Offer:
    """So many of a pack. Raises InvalidInput where Stripe could not charge it."""
    amount = pack.price * count
    _check_chargeable(amount, field="pack")
    return Offer(
        name=pack.name,
        pack=pack,
        packs=count,
        microcredits=pack.microcredits * count,
        bonus_microcredits=pack.bonus_microcredits * count,
        amount=amount,
        expires_after_days=pack.expires_after_days,
    )


def offer_custom(microcredits: int, currency: str) -> Offer:
    """A custom amount: at the price per credit of the largest pack that is not larger, else of the smallest pack.

    The price is rounded up to what can be charged; there is no bonus; it expires as that pack does.
    Raises InvalidInput, CustomAmountNotSold.
    """
    if not 0 < microcredits <= LARGEST_CUSTOM:
        raise InvalidInput(f"must be more than 0 and at most {format_credits(LARGEST_CUSTOM)}", field="credits")
    on_sale = TopUpPack.objects.filter(active=True, price__gt=0, price_currency=currency).order_by(
        "microcredits", "key"
    )
    packs = list(on_sale)
    if not packs:
        raise CustomAmountNotSold(f"no pack is on sale in {currency} to go by", field="credits")
    like = max((pack for pack in packs if pack.microcredits <= microcredits), key=_size, default=packs[0])
    exact = Decimal(like.price.amount) * microcredits / like.microcredits
    amount = rounded_up(exact, currency)
    _check_chargeable(amount, field="credits")
    name = f"{format_credits(microcredits)} credits"
    return Offer(name, None, 1, microcredits, 0, amount, like.expires_after_days)


def most_at_once(amount: Money) -> int:
    """How many of something at this price one charge may buy: at least one, at most a hundred."""
    return max(1, min(100, LARGEST_MINOR // to_minor(amount)))


def pack_on_sale(key: str, currency: str) -> TopUpPack:
    """The pack of a key. Raises PackUnknown, InvalidInput if it is sold in another currency."""
    pack = TopUpPack.objects.filter(key=key, active=True).first()
    if pack is None:
        raise PackUnknown(f"no pack on sale has the key {key!r}", field="pack")
    if str(pack.price.currency) != currency:
        raise InvalidInput(f"is sold in {pack.price.currency}, and the customer pays in {currency}", field="pack")
    return pack


def _size(pack: TopUpPack) -> int:
    return pack.microcredits


def _check_chargeable(amount: Money, *, field: str) -> None:
    try:
        minor = to_minor(amount)
    except NotChargeable as problem:
        raise InvalidInput(str(problem), field=field) from None
    if not 0 < minor <= LARGEST_MINOR:
        raise InvalidInput(f"comes to {amount.amount.normalize():f} {amount.currency}, which no card pays", field=field)
