from django.db import models
from django.db.models import F, Q

from metering.costing.rates import KINDS


class CostCard(models.Model):
    """What a supplier really charges us for a model, from a date on: it outranks every list price.

    A card prices the whole call by its own rates, nothing of the default catalogue is mixed in. Among
    cards in force the most specific wins (metering.costing.overrides.Override.rank), then the newest.
    Immutable once published, except that an open `effective_until` may be set once: what is changed
    is a new card.
    """

    class Match(models.TextChoices):
        EQUALS = "equals", "is"
        PREFIX = "prefix", "starts with"

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"

    provider = models.CharField(max_length=32, blank=True, help_text="As usage reports it; empty: any provider.")
    model = models.CharField(max_length=128, help_text="The provider's model id, or how it starts.")
    match = models.CharField(max_length=8, choices=Match.choices, default=Match.EQUALS)
    processing = models.CharField(
        max_length=16, blank=True, help_text="standard, batch, flex, priority or fast; empty: any, at these rates."
    )
    region = models.CharField(max_length=32, blank=True, help_text="us, eu, global …; empty: any, at these rates.")
    effective_from = models.DateTimeField()
    effective_until = models.DateTimeField(null=True, blank=True, help_text="Empty: until a newer card.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    published_at = models.DateTimeField(null=True, blank=True)
    source = models.TextField(blank=True, help_text="Where the rates are written: a contract, an invoice, a page.")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=150, blank=True)

    class Meta:
        db_table = "cost_card"
        ordering = ["provider", "model", "-effective_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "model", "match", "processing", "region", "effective_from"],
                condition=Q(status="published"),
                name="cost_card_dates_differ",
            ),
            models.CheckConstraint(condition=~Q(model=""), name="cost_card_names_a_model"),
            models.CheckConstraint(condition=Q(match__in=["equals", "prefix"]), name="cost_card_match_is_known"),
            models.CheckConstraint(
                condition=Q(effective_until=None) | Q(effective_until__gt=F("effective_from")),
                name="cost_card_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(status="draft", published_at=None) | Q(status="published", published_at__isnull=False),
                name="cost_card_publication_is_dated",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider or 'any'} {self.model}{'*' if self.match == self.Match.PREFIX else ''}"


class CostRate(models.Model):
    """A card's rate for one kind of usage, from a context length on.

    Nano-USD per million units of the kind (tokens, but also searches, milliseconds, pages and requests), so
    that one column holds $2 per million tokens and $10 per thousand searches exactly.
    """

    card = models.ForeignKey(CostCard, on_delete=models.CASCADE, related_name="rates")
    kind = models.CharField(
        max_length=32, help_text="A field of the neutral usage form, or requests for a fee per call."
    )
    above_input_tokens = models.PositiveIntegerField(
        default=0, help_text="Prices the whole call once it has more input tokens than this."
    )
    rate_nanousd_per_million = models.BigIntegerField(help_text="1,000,000,000 is one dollar per million units.")

    class Meta:
        db_table = "cost_rate"
        ordering = ["card", "kind", "above_input_tokens"]
        constraints = [
            models.UniqueConstraint(fields=["card", "kind", "above_input_tokens"], name="cost_rate_step_is_unique"),
            models.CheckConstraint(condition=Q(kind__in=sorted(KINDS)), name="cost_rate_kind_is_known"),
            models.CheckConstraint(condition=Q(rate_nanousd_per_million__gte=0), name="cost_rate_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} > {self.above_input_tokens}" if self.above_input_tokens else self.kind
