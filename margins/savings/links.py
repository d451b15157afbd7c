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
        self._days = {
            "occurred_at__gte": f"{period.start}T00:00:00Z",
            "occurred_at__lt": f"{period.end}T00:00:00Z",
        }

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

    def list_of(self, filters: Mapping[str, str]) -> str:
        """The usage events of these days that have these values."""
        return f"{reverse('admin:entitlements_usageline_changelist')}?{urlencode(self._days | dict(filters))}"
