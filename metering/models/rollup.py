from django.db import models


class UsageSums(models.Model):
    """Sums of usage events, moved in the transaction that stores the event.

    `cost_nanousd` sums what is known; `unpriced_calls` says how many calls are missing from it.
    """

    calls = models.BigIntegerField(default=0)
    memoised_calls = models.BigIntegerField(default=0)
    unpriced_calls = models.BigIntegerField(default=0)
    unrated_calls = models.BigIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_write_5m_tokens = models.BigIntegerField(default=0)
    cache_write_1h_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    reasoning_tokens = models.BigIntegerField(default=0)
    charged_microcredits = models.BigIntegerField(default=0)
    cost_nanousd = models.BigIntegerField(default=0)
    computed_cost_nanousd = models.BigIntegerField(default=0)
    reported_cost_nanousd = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class UsageDay(UsageSums):
    """One UTC day of a customer's user using a feature on a model under a plan version (0 and "" are none)."""

    pk = models.CompositePrimaryKey("customer_id", "day", "plan_version_id", "feature_id", "model", "user_key")
    customer_id = models.BigIntegerField()
    day = models.DateField()
    plan_version_id = models.BigIntegerField()
    feature_id = models.BigIntegerField()
    model = models.TextField()
    user_key = models.TextField()

    class Meta:
        db_table = "usage_day"
        indexes = [models.Index(fields=["day"], name="usage_day_by_day")]


class UsageMonth(UsageSums):
    """One calendar month (UTC, by its first day), without the users: every customer's quarter in one small scan."""

    pk = models.CompositePrimaryKey("customer_id", "month", "plan_version_id", "feature_id", "model")
    customer_id = models.BigIntegerField()
    month = models.DateField()
    plan_version_id = models.BigIntegerField()
    feature_id = models.BigIntegerField()
    model = models.TextField()

    class Meta:
        db_table = "usage_month"
        indexes = [models.Index(fields=["month"], name="usage_month_by_month")]
