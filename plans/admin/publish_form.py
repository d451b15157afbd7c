"""The dialog that puts a plan on sale: what its audit says, and why it is sold all the same."""

from typing import Any

from django import forms
from django.http import HttpRequest
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from kernel.clock import utc_now
from plans.auditing import Acknowledged, Finding, blocking
from plans.models import PlanVersion
from plans.services.publishing import version_findings


class PublishForm(BaseDialogForm):
    """Asks for an acknowledgement where the audit finds something blocking, and shows all it finds."""

    form_before_template = "plans/audit_findings.html"

    acknowledgement = forms.CharField(
        label="Why it is sold all the same",
        required=False,
        max_length=2_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Kept with the version, with your name and what you were shown.",
    )
    codes = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, request: HttpRequest, object_id: int | str | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, object_id, *args, **kwargs)
        self.findings = _findings(object_id)
        shown = " ".join(finding.code for finding in blocking(self.findings))
        self.fields["codes"].initial = shown
        if not shown:
            del self.fields["acknowledgement"], self.fields["codes"]

    def get_before_template_context(self, request: HttpRequest, object_id: int | str | None = None) -> dict[str, Any]:
        return {"findings": self.findings, "blocking": bool(blocking(self.findings))}

    def clean_acknowledgement(self) -> str:
        said: str = self.cleaned_data["acknowledgement"].strip()
        if not said:
            raise forms.ValidationError("Say why it is sold all the same, or change the plan.")
        return said

    def acknowledged(self) -> Acknowledged | None:
        """The acknowledgement of what the dialog showed, where it asked for one."""
        if "acknowledgement" not in self.cleaned_data:
            return None
        return Acknowledged(
            actor=self.request.user.get_username(),
            reason=self.cleaned_data["acknowledgement"],
            codes=frozenset(self.cleaned_data["codes"].split()),
        )


def _findings(object_id: int | str | None) -> list[Finding]:
    """What speaks against the draft the action's address names; nothing when it names none."""
    if not str(object_id).isdecimal():
        return []
    drafts = PlanVersion.objects.select_related("plan").filter(status=PlanVersion.Status.DRAFT)
    version = drafts.filter(pk=int(str(object_id))).first()
    return [] if version is None else version_findings(version, now=utc_now())
