"""The list of what is proven. A new check is a file in sql/ and a line here; apps above add theirs by `add_check`.

A statement returns one row for everything it looked at: `customer_id` (null where no customer is
concerned) and `fault`, null when the promise holds. It may use the parameter `customer_id`: null, or
the one customer to look at.
"""

from typing import Final

import msgspec

from kernel.sql_files import sql_file


class Check(msgspec.Struct, frozen=True):
    """A promise and the statement that proves it. `rows` says what one row looked at is."""

    name: str
    promise: str
    rows: str
    sql: str


def _check(name: str, rows: str, promise: str) -> Check:
    return Check(name, promise, rows, sql_file("entitlements/audit", name))


def _recount(name: str, rollup: str, rows: str, promise: str) -> Check:
    """A rollup's recount is metering's own statement: the one `rebuild_rollups` goes by."""
    sql = f"""
        SELECT customer_id, CASE WHEN stored IS DISTINCT FROM recounted THEN concat('{rollup} ', {rollup},
            ' of feature ', feature_id, ' ', model, ' stores ', COALESCE(stored::text, 'nothing'),
            ', its events sum to ', COALESCE(recounted::text, 'nothing')) END AS fault
        FROM ({sql_file("metering", f"rebuild_{rollup}").rstrip()}) rollup"""  # noqa: S608 - our own files
    return Check(name, promise, rows, sql)


CHECKS: Final = (
    _check("guards_are_in_force", "guards", "append-only, published and unique: the database refuses what must not be"),
    _check("cache_revision_is_there", "revisions", "a published price or a revoked key is learnt by every process"),
    _check("customers_have_balances", "customers", "every customer has a balance row, and nobody else"),
    _check("ledgers_have_no_gaps", "ledgers", "entries are numbered 1, 2, 3 … up to what the balance counts"),
    _check("balances_are_ledger_sums", "balances", "posted, debt and overage are the sums of their entries"),
    _check("ledgers_never_overspend", "entries", "after no entry ever written was a part of the balance below zero"),
    _check("entries_are_well_formed", "entries", "every entry's kind, part of the balance and sign belong together"),
    _check("entries_name_their_grant", "entries", "every movement of posted credits names a grant of its customer"),
    _check("entries_name_their_event", "entries", "every entry of usage names usage that is there, or archived"),
    _check("grants_sum_to_posted", "balances", "posted is what is left of the active grants"),
    _check("grants_are_explained", "grants", "what is left of a grant is the sum of its entries; none left is closed"),
    _check("events_are_charged", "events", "an event's charge is what the ledger took for it; unrated took nothing"),
    _check("event_keys_count_once", "event keys", "no key was counted twice, archived ones included"),
    _check("events_keep_their_stamps", "events", "rates, cards and plans events name are published and were in force"),
    _check("free_credits_pay_first", "balances", "nothing is owed while something is free"),
    _check("low_balances_are_noticed", "balances", "a balance below its mark was told of, and no other"),
    _check("overage_is_capped", "balances", "overage has a plan that allows it and keeps to its spend cap"),
    _check("holds_are_set_aside", "balances", "held is what open holds have set aside, and is covered"),
    _check("holds_end_once", "holds", "an ended hold keeps nothing; settled is what its usage was charged"),
    _check("runs_count_what_they_did", "runs", "a run counts its usage and holds, and those of the runs inside it"),
    _check("counters_hold_their_claims", "counters", "what limits hold is what open holds claim of them"),
    _check("counters_are_recounts", "counters", "what limits count is what the usage in their window adds up to"),
    _recount("usage_days_are_recounts", "day", "rollup rows", "daily rollups are the sums of their events"),
    _recount("usage_months_are_recounts", "month", "rollup rows", "monthly rollups are the sums of their events"),
    _check("adjustments_are_explained", "adjustments", "a corrected cost names its usage; an undo is what was moved"),
    _check("archived_days_are_tombstones", "customers", "what is kept of archived usage agrees with its tombstones"),
    _check("balances_follow_subscriptions", "balances", "a balance's plan and anchor are the open subscription's"),
    _check("periods_follow_anchors", "balances", "periods are counted from the anchor, and balances valid in them"),
    _check("nothing_due_is_skipped", "balances", "no renewal, activation, expiry or deadline was passed over"),
    _check("allowances_are_granted_once", "allowances", "no two allowances of a subscription share an instant"),
    _check("allowances_are_the_plans", "balances", "this period's allowance was granted, as much as the plan includes"),
)

_ADDED: Final[dict[str, Check]] = {}


def add_check(check: Check) -> None:
    """Have a promise of an app above proven too. Called when that app starts; twice is once."""
    _ADDED[check.name] = check


def all_checks() -> tuple[Check, ...]:
    """What is proven: ours, then what other apps added."""
    return *CHECKS, *_ADDED.values()
