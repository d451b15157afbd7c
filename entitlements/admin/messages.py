from typing import ClassVar

from django.contrib import admin
from django.db import models
from unfold.decorators import display

from entitlements.admin.lines import Line, LinesAdmin
from entitlements.admin.links import as_json


class MessageLine(Line):
    """An outbox message, from the view message_line."""

    message_id = models.BigIntegerField()
    key = models.TextField()
    kind = models.TextField()
    payload = models.JSONField()
    created_at = models.DateTimeField()
    dispatched_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "message_line"
        verbose_name = "outbox message"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.key


@admin.register(MessageLine)
class MessageLineAdmin(LinesAdmin):
    """What is to be told the outside, newest first: waiting until it has been dispatched."""

    table: ClassVar[str] = "outbox_message"
    row_key: ClassVar[str] = "message_id"
    list_display = ("customer", "kind", "show_state", "key", "created_at", "dispatched_at")
    list_filter = (("dispatched_at", admin.EmptyFieldListFilter),)
    fields = ("customer", "kind", "key", "show_state", "show_payload", ("created_at", "dispatched_at"))

    @display(description="State", ordering="dispatched_at", label={"waiting": "warning", "dispatched": "success"})
    def show_state(self, line: MessageLine) -> str:
        return "dispatched" if line.dispatched_at else "waiting"

    @display(description="Payload")
    def show_payload(self, line: MessageLine) -> str:
        return as_json(line.payload)
