"""The database keeps a limit that could not be counted from being written, whoever writes it."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from plans.models import Plan, PlanLimit, PlanVersion, RateCard
from plans.terms import SHARED_WINDOWS, window_fault

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft() -> PlanVersion:
    card = RateCard.objects.create(key="standard", name="Standard")
    return PlanVersion.objects.create(plan=Plan.objects.create(key="pro", name="Pro"), number=1, rate_card=card)


@pytest.mark.parametrize("scope", PlanLimit.Scope.values)
def test_a_window_must_fit_its_scope(draft: PlanVersion, scope: str) -> None:
    for window in PlanLimit.Window.values:
        limit = PlanLimit(plan_version=draft, key=f"{window}", scope=scope, window=window, unit="calls", value=1)
        fits = scope == "run" if window == "run" else scope not in ("plan", "everyone") or window in SHARED_WINDOWS
        assert (window_fault(scope, window) is None) == fits
        if fits:
            limit.full_clean()
            limit.save()
            continue
        with pytest.raises(ValidationError):
            limit.full_clean()
        with pytest.raises(IntegrityError), transaction.atomic():
            limit.save()


@pytest.mark.parametrize(
    ("percents", "fits"), [([], True), ([1, 100], True), ([0], False), ([80, 101], False), ([80, None], False)]
)
def test_warnings_come_at_percentages(draft: PlanVersion, percents: list[int], fits: bool) -> None:
    limit = PlanLimit(plan_version=draft, key="cap", window="day", unit="calls", value=1, warn_at_percent=percents)
    if fits:
        limit.save()
        return
    with pytest.raises(IntegrityError), transaction.atomic():
        limit.save()
