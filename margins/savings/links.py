"""The events behind a saving: the usage list of the admin, filtered."""

from collections.abc import Mapping
from functools import cached_property
from urllib.parse import urlencode

from django.urls import reverse

from margins.period import Period
from margins.savings.saved import Means
from margins.savings.spend import Model, Task
from plans.models import Feature


class Links:
    """Addresses of filtered usage lists, for one stretch of days."""

    def __init__(self, period: Period) -> None:
        self._period = period

    @cached_property
    def _list(self) -> str:
        """Looked up once: a page makes a link for every day, feature, model and user."""
        return reverse("admin:entitlements_usageline_changelist")

    @cached_property
    def _features(self) -> dict[str, int]:
        """Asked only by links that name a feature: a page makes some for every day."""
        return dict(Feature.objects.values_list("key", "id"))

    def events(
        self,
        task: Task,
        model: Model | None = None,
        means: Means | None = None,
        more: Mapping[str, str] | None = None,
    ) -> str:
        """The calls of a task, on one model, or answered by a cache of our own; `more` filters them further."""
        feature_id = self._features.get(task.feature)
        which: dict[str, str] = {} if feature_id is None else {"feature__id__exact": str(feature_id)}
        if task.action:
            which["action"] = task.action
        if model is not None:
            which["model"] = model.key
        if means is Means.MEMOISED:
            which["memoised__exact"] = "1"
        return self.list_of(which | dict(more or {}))

    def of_feature(self, feature: str) -> str:
        """All calls of a feature; of a feature nobody knows, all calls."""
        return self.events(Task(feature, ""))

    def list_of(self, filters: Mapping[str, str], period: Period | None = None) -> str:
        """The usage events of these days, or of others, that have these values."""
        of = period or self._period
        days = {"occurred_at__gte": f"{of.start}T00:00:00Z", "occurred_at__lt": f"{of.end}T00:00:00Z"}
        return f"{self._list}?{urlencode(days | dict(filters))}"
