"""A cost card's life: a draft, published for good, ended once."""

from datetime import datetime

from django.db import transaction

from kernel.errors import Conflict, InvalidInput
from metering.models import CostCard


class CostCardIsNotDraft(Conflict):
    code = "cost_card_is_not_draft"
    title = "Only a draft cost card can be published"


class CostCardIsEmpty(Conflict):
    code = "cost_card_is_empty"
    title = "The cost card has no rates"


class CostCardDateTaken(Conflict):
    code = "cost_card_date_taken"
    title = "Another published cost card prices the same calls from the same instant"


class CostCardNotInForce(Conflict):
    code = "cost_card_not_in_force"
    title = "Only a published cost card without an end can be ended"


@transaction.atomic
def publish_cost_card(card_id: int, now: datetime) -> CostCard:
    """Fix a draft's rates for good. It prices events that arrive from now on and lie in its dates.

    What was stamped before stays. Raises CostCardIsNotDraft, CostCardIsEmpty, CostCardDateTaken.
    """
    card = CostCard.objects.select_for_update(no_key=True).get(pk=card_id)
    if card.status != CostCard.Status.DRAFT:
        raise CostCardIsNotDraft(f"{card} is {card.status}.")
    if not card.rates.exists():
        raise CostCardIsEmpty(f"{card} has no rates: every call it matches would be unpriced.", field="rates")
    same = {name: getattr(card, name) for name in ("provider", "model", "match", "processing", "region")}
    others = CostCard.objects.filter(status=CostCard.Status.PUBLISHED, effective_from=card.effective_from, **same)
    if others.exists():
        raise CostCardDateTaken("Choose another instant.", field="effective_from")
    card.status, card.published_at = CostCard.Status.PUBLISHED, now
    card.save(update_fields=["status", "published_at"])
    return card


@transaction.atomic
def end_cost_card(card_id: int, until: datetime) -> CostCard:
    """Let a published card hold no longer than `until`. It can be said once.

    Raises CostCardNotInForce, InvalidInput (`until` is not after the card's start).
    """
    card = CostCard.objects.select_for_update(no_key=True).get(pk=card_id)
    if card.status != CostCard.Status.PUBLISHED or card.effective_until is not None:
        raise CostCardNotInForce(f"{card} is a draft, or has an end already.")
    if until <= card.effective_from:
        raise InvalidInput("must be after effective_from", field="effective_until")
    card.effective_until = until
    card.save(update_fields=["effective_until"])
    return card
