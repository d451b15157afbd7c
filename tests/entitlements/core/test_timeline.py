"""What happens by itself happens at its own instant, however late it is noticed."""

from datetime import UTC, datetime, timedelta

from entitlements.core.timeline import bring_up_to_date, end_subscription, start_subscription
from entitlements.core.words import EntryKind
from tests.accounts import account, give, ledger_sums, subscribed
from tests.shop import CREDIT, catalogue, chat_right, plan

DAY = timedelta(days=1)


def entries(acme: object, kind: EntryKind) -> list[tuple[datetime, int]]:
    return [(row.effective_at, row.amount_microcredits) for row in acme.ledger if row.kind == kind]  # type: ignore[attr-defined]


def test_a_grant_expires_at_its_instant_and_not_before(now: datetime) -> None:
    acme = account()
    give(acme, 5, now=now, expires_at=now + DAY)
    bring_up_to_date(acme, catalogue(), now + DAY - timedelta(microseconds=1))
    assert acme.available == 5 * CREDIT
    bring_up_to_date(acme, catalogue(), now + DAY)
    assert acme.available == 0
    assert entries(acme, EntryKind.EXPIRE) == [(now + DAY, -5 * CREDIT)]


def test_a_future_grant_activates_at_its_instant(now: datetime) -> None:
    acme = account()
    give(acme, 5, now=now, effective_at=now + DAY)
    assert acme.available == 0
    assert acme.valid_until == now + DAY
    bring_up_to_date(acme, catalogue(), now + 3 * DAY)
    assert acme.available == 5 * CREDIT
    assert entries(acme, EntryKind.GRANT) == [(now + DAY, 5 * CREDIT)]


def test_an_allowance_renews_on_the_anchors_day_and_the_old_one_expires() -> None:
    start = datetime(2027, 1, 31, 9, 0, tzinfo=UTC)
    acme = subscribed(plan(), now=start)
    acme.charge(30 * CREDIT, overage_room=0, at=start, now=start, event=None)  # type: ignore[arg-type]
    bring_up_to_date(acme, catalogue(), datetime(2027, 3, 31, 10, 0, tzinfo=UTC))
    february = datetime(2027, 2, 28, 9, 0, tzinfo=UTC)
    march = datetime(2027, 3, 31, 9, 0, tzinfo=UTC)
    assert entries(acme, EntryKind.GRANT) == [(start, 100 * CREDIT), (february, 100 * CREDIT), (march, 100 * CREDIT)]
    assert entries(acme, EntryKind.EXPIRE) == [(february, -70 * CREDIT), (march, -100 * CREDIT)]
    assert acme.available == 100 * CREDIT
    assert (acme.period_start, acme.allowance_end) == (march, datetime(2027, 4, 30, 9, 0, tzinfo=UTC))


def test_unused_allowance_rolls_over_up_to_the_maximum(now: datetime) -> None:
    rolling = plan(rollover_max_microcredits=25 * CREDIT)
    acme = subscribed(rolling, now=now)
    acme.charge(60 * CREDIT, overage_room=0, at=now, now=now, event=None)  # type: ignore[arg-type]
    end = acme.allowance_end
    assert end is not None
    bring_up_to_date(acme, catalogue(rolling), end)
    assert acme.available == 125 * CREDIT
    acme.charge(110 * CREDIT, overage_room=0, at=end, now=end, event=None)  # type: ignore[arg-type]
    assert acme.allowance_end is not None
    bring_up_to_date(acme, catalogue(rolling), acme.allowance_end)
    assert acme.available == 115 * CREDIT


def test_bringing_up_to_date_late_or_often_comes_to_the_same(now: datetime) -> None:
    rolling = plan(rollover_max_microcredits=50 * CREDIT, allowance_renewal="week")
    often, late = subscribed(rolling, now=now), subscribed(rolling, now=now)
    until = now + 40 * DAY
    for hours in range(0, 40 * 24 + 1, 7):
        bring_up_to_date(often, catalogue(rolling), now + timedelta(hours=hours))
    for acme in (often, late):
        bring_up_to_date(acme, catalogue(rolling), until)
    known = [(row.effective_at, row.kind, row.amount_microcredits, row.grant_id) for row in late.ledger]
    assert [(row.effective_at, row.kind, row.amount_microcredits, row.grant_id) for row in often.ledger] == known
    assert often.available == late.available == 150 * CREDIT


def test_overage_leaves_the_credits_when_its_period_ends(now: datetime) -> None:
    soft = plan(included_microcredits=0, entitlements=chat_right(at_limit="overage"))
    acme = subscribed(soft, now=now)
    acme.charge(3 * CREDIT, overage_room=10 * CREDIT, at=now, now=now, event=None)  # type: ignore[arg-type]
    end = acme.period_end
    assert end is not None
    bring_up_to_date(acme, catalogue(soft), end)
    assert acme.overage == 0
    assert entries(acme, EntryKind.OVERAGE_BILLED) == [(end, 3 * CREDIT)]


def test_what_an_open_hold_covers_outlives_the_grants_expiry(now: datetime) -> None:
    acme = account()
    give(acme, 10, now=now, expires_at=now + DAY)
    acme.held = 4 * CREDIT
    bring_up_to_date(acme, catalogue(), now + DAY)
    assert (acme.posted, acme.held, acme.available) == (4 * CREDIT, 4 * CREDIT, 0)


def test_changing_plan_takes_back_the_allowance_and_keeps_what_was_bought(now: datetime) -> None:
    acme = subscribed(plan(), now=now)
    give(acme, 7, now=now)
    bigger = plan(id=2, plan_key="team", included_microcredits=500 * CREDIT)
    start_subscription(acme, bigger, subscription_id=2, anchor=now, now=now + DAY)
    assert acme.available == 507 * CREDIT
    end_subscription(acme, now=now + 2 * DAY)
    assert acme.available == 7 * CREDIT
    assert acme.plan_version_id is None
    assert acme.valid_until is None
    assert ledger_sums(acme)[1] == acme.posted


def test_a_yearly_plan_can_renew_its_credits_monthly(now: datetime) -> None:
    yearly = plan(interval="year")
    acme = subscribed(yearly, now=now)
    bring_up_to_date(acme, catalogue(yearly), now + 100 * DAY)
    assert acme.available == 100 * CREDIT
    assert len(entries(acme, EntryKind.GRANT)) == 4
    assert acme.period_end is not None
    assert acme.period_end.year == now.year + 1
