from django.db import models
from django.db.models import Q

from plans.models.plan import PlanVersion


class PlanAcknowledgement(models.Model):
    """Who sold a plan version although its audit spoke against it, and why. It stays with the version for good.

    The triggers of plans/sql/acknowledgement_guard keep it as it was from the publication on.
    """

    plan_version = models.OneToOneField(PlanVersion, on_delete=models.CASCADE, related_name="acknowledgement")
    made_at = models.DateTimeField()
    actor = models.CharField(max_length=200)
    reason = models.TextField()
    findings = models.JSONField(help_text="The blocking findings as they were shown.")

    class Meta:
        db_table = "plan_acknowledgement"
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="plan_acknowledgement_says_why"),
            models.CheckConstraint(condition=~Q(findings=[]), name="plan_acknowledgement_is_of_something"),
        ]

    def __str__(self) -> str:
        return f"{self.actor}: {self.reason}"
