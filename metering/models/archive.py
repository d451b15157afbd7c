from django.db import models

from metering.models.rollup import UsageSums


class ArchivedUsageDay(UsageSums):
    """What archived events had added to their `usage_day` row: with it the row can still be recounted.

    Moves only in the archive command's own transactions (trigger ``archived_usage_day_is_archived``).
    """

    pk = models.CompositePrimaryKey("customer_id", "day", "plan_version_id", "feature_id", "model", "user_key")
    customer_id = models.BigIntegerField()
    day = models.DateField()
    plan_version_id = models.BigIntegerField()
    feature_id = models.BigIntegerField()
    model = models.TextField()
    user_key = models.TextField()

    class Meta:
        db_table = "archived_usage_day"
