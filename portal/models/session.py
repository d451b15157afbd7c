from django.db import models
from django.db.models import F, Q

from entitlements.models import Customer


class PortalSession(models.Model):
    """One visit to a customer's own pages: first a link, then, once somebody opens it, a browser's session.

    The link names the row and is signed; the browser's secret is known here by its SHA-256 only. Rows are kept as the
    record of who was let in, by whom, and when.
    """

    id = models.UUIDField(primary_key=True)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    created_by = models.TextField(help_text="The API key or the member of staff that asked for the link.")
    read_only = models.BooleanField(
        default=False, help_text="Staff look at a customer's pages; they buy nothing there."
    )
    return_url = models.TextField(default="", blank=True, help_text="Where the link back to the product leads.")
    link_expires_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)
    secret_digest = models.BinaryField(null=True, max_length=32)
    expires_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="Signed out.")

    class Meta:
        db_table = "portal_session"
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["customer", "-created_at"], name="portal_session_by_customer")]
        constraints = [
            models.UniqueConstraint(fields=["secret_digest"], name="portal_session_secret_is_unique"),
            models.CheckConstraint(
                condition=Q(opened_at=None, secret_digest=None, expires_at=None, ended_at=None)
                | Q(opened_at__isnull=False, secret_digest__isnull=False, expires_at__gt=F("opened_at")),
                name="portal_session_is_opened_whole",
            ),
            models.CheckConstraint(
                condition=Q(opened_at=None) | Q(opened_at__lt=F("link_expires_at")),
                name="portal_session_is_opened_in_time",
            ),
            models.CheckConstraint(
                condition=Q(link_expires_at__gt=F("created_at")), name="portal_session_link_lasts_a_while"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer}, {self.created_at:%Y-%m-%d %H:%M}"
