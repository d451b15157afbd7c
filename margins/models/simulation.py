from django.db import models
from django.db.models import F, Q


class Simulation(models.Model):
    """A question "what if", and how far the answer has come. Customers are done in the order of their ids.

    The scenario is margins.simulation.scenario.Scenario as JSON; `totals` are by billing currency.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    name = models.CharField(max_length=100)
    author = models.CharField(max_length=150, blank=True)
    scenario = models.JSONField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    since = models.DateTimeField()
    until = models.DateTimeField(help_text="The end of the last day, or when it was asked.")
    problem = models.TextField(blank=True, help_text="Why it failed.")
    total_calls = models.BigIntegerField(default=0)
    done_calls = models.BigIntegerField(default=0)
    archived_calls = models.BigIntegerField(default=0, help_text="Have left for the archive and are not replayed.")
    cursor_customer_id = models.BigIntegerField(default=0, editable=False)
    totals = models.JSONField(default=list)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "simulation"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(until__gt=F("since")), name="simulation_has_a_period"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running"], finished_at=None)
                | Q(state__in=["done", "failed"], finished_at__isnull=False),
                name="simulation_state_is_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def percent(self) -> int:
        """How much of it is done, 0 to 100."""
        if self.state == self.State.DONE:
            return 100
        return min(99, self.done_calls * 100 // self.total_calls) if self.total_calls else 0


class SimulationRow(models.Model):
    """One customer of a simulation: what really happened with the calls, and what the scenario makes of them.

    Amounts are microcredits, nano-USD, and nano-units of the customer's currency.
    """

    pk = models.CompositePrimaryKey("simulation_id", "customer_id")
    simulation = models.ForeignKey(Simulation, on_delete=models.CASCADE, related_name="rows", db_index=False)
    customer_id = models.BigIntegerField()
    customer_key = models.TextField()
    currency = models.CharField(max_length=3)
    plan = models.TextField(blank=True, help_text="The plan at the end, in the scenario.")
    real_calls = models.BigIntegerField()
    real_microcredits = models.BigIntegerField()
    real_cost_nanousd = models.BigIntegerField()
    real_revenue_nano = models.BigIntegerField()
    calls = models.BigIntegerField()
    microcredits = models.BigIntegerField()
    cost_nanousd = models.BigIntegerField()
    revenue_nano = models.BigIntegerField()
    unpriced_calls = models.BigIntegerField()
    unrated_calls = models.BigIntegerField()
    moved_calls = models.BigIntegerField()
    downgraded_calls = models.BigIntegerField()
    refused_calls = models.BigIntegerField()
    lost_microcredits = models.BigIntegerField(help_text="What refused calls would have charged.")
    saved_nanousd = models.BigIntegerField(help_text="What refused calls would have cost.")
    debt_microcredits = models.BigIntegerField(help_text="Owed at the end.")
    first_limit = models.TextField(blank=True, help_text="The limit met first, or `balance`, `overage`, a reason.")
    first_limit_at = models.DateTimeField(null=True)
    details = models.JSONField(help_text="Revenue by kind, real and simulated, and every limit met.")

    class Meta:
        db_table = "simulation_row"

    def __str__(self) -> str:
        return self.customer_key
