"""Corruptions no service could cause, and the checks that must notice each of them: these, and no others."""

from collections.abc import Sequence
from typing import NamedTuple


class Corruption(NamedTuple):
    """What happened, to whom, which checks must notice, and by which statements. ``{acme}`` is that customer's id."""

    story: str
    customer: str
    checks: Sequence[str]
    statements: Sequence[str]


SUMS, ROLLUPS = "balances_are_ledger_sums", ("usage_days_are_recounts", "usage_months_are_recounts")
GRANT_LIKE = """
    INSERT INTO credit_grant (customer_id, id, key_digest, key, body_digest, source, priority, amount_microcredits,
        remaining_microcredits, effective_at, expires_at, created_at, activated_at, paid, paid_currency,
        subscription_id, reason, actor)
    SELECT customer_id, gen_random_uuid(), gen_random_uuid(), 'planted', body_digest, source, priority, 7,
        7, effective_at + {after}, expires_at, created_at, effective_at + {after}, 0, 'USD',
        subscription_id, '', ''
    FROM credit_grant WHERE customer_id = {whose} ORDER BY created_at LIMIT 1"""
ENTER_IT = (
    """INSERT INTO ledger_entry
           (customer_id, seq, recorded_at, effective_at, kind, bucket, amount_microcredits, grant_id)
       SELECT customer_id, ledger_seq + 1, now(), now(), 1, 1, 7, g.id
       FROM credit_grant g JOIN balance USING (customer_id) WHERE g.key = 'planted'""",
    """UPDATE balance SET posted_microcredits = posted_microcredits + 7, ledger_seq = ledger_seq + 1
       WHERE customer_id = (SELECT customer_id FROM credit_grant WHERE key = 'planted')""",
)


def another_grant(whose: str, after: str = "interval '0'") -> Sequence[str]:
    """A grant like their first, on which grants, ledger and balance agree."""
    return (GRANT_LIKE.replace("{whose}", whose).replace("{after}", after), *ENTER_IT)


LEDGER = [
    Corruption(
        "a balance that grew by itself",
        "acme",
        [SUMS, "grants_sum_to_posted"],
        ["UPDATE balance SET posted_microcredits = posted_microcredits + 1 WHERE customer_id = {acme}"],
    ),
    Corruption(
        "a debt forgiven by hand",
        "owes",
        [SUMS],
        ["UPDATE balance SET debt_microcredits = 0 WHERE customer_id = {owes}"],
    ),
    Corruption(
        "overage lost",
        "meter",
        [SUMS],
        ["UPDATE balance SET overage_microcredits = 1 WHERE customer_id = {meter}"],
    ),
    Corruption(
        "an entry edited",
        "owes",
        [SUMS, "grants_are_explained", "events_are_charged"],
        ["UPDATE ledger_entry SET amount_microcredits = -1 WHERE customer_id = {owes} AND seq = 2"],
    ),
    Corruption(
        "an entry deleted",
        "owes",
        ["ledgers_have_no_gaps", SUMS, "grants_are_explained", "events_are_charged"],
        ["DELETE FROM ledger_entry WHERE customer_id = {owes} AND seq = 2"],
    ),
    Corruption(
        "the newest entry lost in a crash",
        "owes",
        ["ledgers_have_no_gaps", SUMS, "events_are_charged"],
        ["DELETE FROM ledger_entry WHERE customer_id = {owes} AND seq = 3"],
    ),
    Corruption(
        "an entry written twice",
        "owes",
        [SUMS, "events_are_charged"],
        [
            """INSERT INTO ledger_entry
                   (customer_id, seq, recorded_at, effective_at, kind, bucket, amount_microcredits, event_digest)
               SELECT customer_id, seq + 1, recorded_at, effective_at, kind, bucket, amount_microcredits, event_digest
               FROM ledger_entry WHERE customer_id = {owes} AND seq = 3""",
            "UPDATE balance SET ledger_seq = ledger_seq + 1 WHERE customer_id = {owes}",
        ],
    ),
    Corruption(
        "a spend before the grant that paid it",
        "owes",
        ["ledgers_never_overspend"],
        [
            "UPDATE ledger_entry SET seq = 9 WHERE customer_id = {owes} AND seq = 1",
            "UPDATE ledger_entry SET seq = 1 WHERE customer_id = {owes} AND seq = 2",
            "UPDATE ledger_entry SET seq = 2 WHERE customer_id = {owes} AND seq = 9",
        ],
    ),
    Corruption(
        "a burn that pays from somebody else's grant",
        "owes",
        ["entries_name_their_grant", "grants_are_explained"],
        [
            """UPDATE ledger_entry SET grant_id = (SELECT id FROM credit_grant WHERE customer_id = {gone} LIMIT 1)
               WHERE customer_id = {owes} AND seq = 2"""
        ],
    ),
    Corruption(
        "an entry of the wrong kind",
        "owes",
        ["entries_are_well_formed", "events_are_charged"],
        ["UPDATE ledger_entry SET kind = 6 WHERE customer_id = {owes} AND seq = 2"],
    ),
    Corruption(
        "an entry of usage nobody reported",
        "owes",
        ["entries_name_their_event", "events_are_charged"],
        ["UPDATE ledger_entry SET event_digest = gen_random_uuid() WHERE customer_id = {owes} AND seq = 2"],
    ),
    Corruption(
        "a grant topped up by hand",
        "owes",
        ["grants_sum_to_posted", "grants_are_explained"],
        ["UPDATE credit_grant SET remaining_microcredits = 1 WHERE customer_id = {owes}"],
    ),
    Corruption(
        "a grant closed with credits in it",
        "gone",
        ["grants_are_explained"],
        ["UPDATE credit_grant SET closed_at = now() WHERE customer_id = {gone} AND key = 'grant-1'"],
    ),
    Corruption(
        "credits that are free while something is owed",
        "owes",
        ["free_credits_pay_first"],
        another_grant("{owes}"),
    ),
    Corruption(
        "a low balance nobody was told of",
        "owes",
        ["low_balances_are_noticed"],
        ["UPDATE balance SET low_below_microcredits = 1 WHERE customer_id = {owes}"],
    ),
    Corruption(
        "overage above the cap",
        "meter",
        ["overage_is_capped"],
        ["UPDATE plan_version SET spend_cap_microcredits = 2000000 WHERE spend_cap_microcredits IS NOT NULL"],
    ),
    Corruption(
        "a customer without a balance",
        "plain",
        ["customers_have_balances"],
        ["DELETE FROM balance WHERE customer_id = {plain}"],
    ),
]

USAGE = [
    Corruption(
        "a charge edited",
        "owes",
        ["events_are_charged", *ROLLUPS],
        ["UPDATE usage_event SET charged_microcredits = 1 WHERE customer_id = {owes}"],
    ),
    Corruption(
        "an event deleted",
        "owes",
        ["entries_name_their_event", *ROLLUPS],
        ["DELETE FROM usage_event WHERE customer_id = {owes}"],
    ),
    Corruption(
        "a key that is live and archived",
        "owes",
        ["event_keys_count_once", "archived_days_are_tombstones"],
        [
            """INSERT INTO usage_tombstone
               SELECT customer_id, key_digest, body_digest, charged_microcredits, cost_nanousd, now()
               FROM usage_event WHERE customer_id = {owes}"""
        ],
    ),
    Corruption(
        "a tombstone lost",
        "old",
        ["entries_name_their_event", "archived_days_are_tombstones"],
        ["DELETE FROM usage_tombstone WHERE customer_id = {old} AND cost_nanousd IS NOT NULL"],
    ),
    Corruption(
        "archived usage miscounted",
        "old",
        ROLLUPS,
        ["UPDATE archived_usage_day SET input_tokens = 0 WHERE customer_id = {old} AND model = 'gpt-4o-mini'"],
    ),
    Corruption(
        "a rollup that missed an event",
        "meter",
        ["usage_days_are_recounts"],
        ["UPDATE usage_day SET calls = calls - 1 WHERE customer_id = {meter} AND day = '2026-11-15'"],
    ),
    Corruption(
        "a rollup lost",
        "meter",
        ["usage_months_are_recounts"],
        ["DELETE FROM usage_month WHERE customer_id = {meter} AND month = '2026-11-01'"],
    ),
    Corruption(
        "a correction of usage nobody reported",
        "old",
        ["adjustments_are_explained"],
        ["UPDATE cost_adjustment SET key_digest = gen_random_uuid() WHERE customer_id = {old}"],
    ),
    Corruption(
        "a correction edited",
        "old",
        ROLLUPS,
        ["UPDATE cost_adjustment SET delta_nanousd = 1 WHERE customer_id = {old}"],
    ),
    Corruption(
        "more taken back than was moved",
        "meter",
        ["adjustments_are_explained", *ROLLUPS],
        ["UPDATE cost_adjustment SET delta_nanousd = delta_nanousd + 1 WHERE customer_id = {meter} AND undo"],
    ),
    Corruption(
        "a rate nobody published",
        "owes",
        ["events_keep_their_stamps"],
        ["UPDATE usage_event SET rate_id = 999999 WHERE customer_id = {owes}"],
    ),
    Corruption(
        "a cost that names no card",
        "owes",
        ["events_keep_their_stamps"],
        ["UPDATE usage_event SET cost_card = '' WHERE customer_id = {owes}"],
    ),
    Corruption(
        "a cost that is neither reported nor computed",
        "owes",
        ["events_keep_their_stamps"],
        ["UPDATE usage_event SET computed_cost_nanousd = NULL WHERE customer_id = {owes}", *(
            f"UPDATE {rollup} SET computed_cost_nanousd = 0 WHERE customer_id = {{owes}}"
            for rollup in ("usage_day", "usage_month")
        )],
    ),
]  # fmt: skip

GATE = [
    Corruption(
        "credits held for nobody",
        "acme",
        ["holds_are_set_aside"],
        ["UPDATE balance SET held_microcredits = held_microcredits + 1 WHERE customer_id = {acme}"],
    ),
    Corruption(
        "a hold ended and its credits stranded",
        "acme",
        ["holds_are_set_aside", "holds_end_once", "runs_count_what_they_did", "counters_hold_their_claims"],
        ["UPDATE hold SET status = 3, closed_at = now() WHERE customer_id = {acme} AND key = 'open'"],
    ),
    Corruption(
        "a hold settled with what was never charged",
        "acme",
        ["holds_end_once"],
        ["UPDATE hold SET settled_microcredits = settled_microcredits + 1 WHERE customer_id = {acme} AND key = 'less'"],
    ),
    Corruption(
        "a decision without its record",
        "acme",
        ["holds_end_once"],
        ["DELETE FROM decision USING hold WHERE decision.id = hold.id AND hold.key = 'open'"],
    ),
    Corruption(
        "a run that forgot its children",
        "acme",
        ["runs_count_what_they_did"],
        ["UPDATE run SET charged_microcredits = 0 WHERE customer_id = {acme} AND key = 'run'"],
    ),
    Corruption(
        "an open run in a closed one",
        "acme",
        ["runs_count_what_they_did"],
        ["UPDATE run SET status = 2, closed_at = now() WHERE customer_id = {acme} AND key = 'run'"],
    ),
    *(
        Corruption(
            f"a counter that lost some ({key})",
            "acme",
            ["counters_are_recounts"],
            [f"UPDATE limit_counter SET used = used - 1 WHERE customer_id = {{acme}} AND limit_key = '{key}'"],
        )
        for key in ("per-day", "per-period", "per-run")
    ),
    Corruption(
        "a counter of calls that never were",
        "acme",
        ["counters_are_recounts"],
        ["UPDATE limit_counter SET used = used + 100 WHERE customer_id = {acme} AND limit_key = 'per-user'"],
    ),
    Corruption(
        "a limit that holds for nobody",
        "acme",
        ["counters_hold_their_claims"],
        ["UPDATE limit_counter SET held = held + 1 WHERE customer_id = {acme} AND limit_key = 'per-day'"],
    ),
]

TIME = [
    Corruption(
        "a subscription ended behind the balance's back",
        "meter",
        ["balances_follow_subscriptions"],
        ["UPDATE subscription SET ended_at = now() WHERE customer_id = {meter}"],
    ),
    Corruption(
        "a period that drifted",
        "meter",
        ["periods_follow_anchors"],
        [
            """UPDATE balance SET period_start = period_start - interval '1 day',
                   period_end = period_end - interval '1 day', valid_until = valid_until - interval '1 day'
               WHERE customer_id = {meter}"""
        ],
    ),
    Corruption(
        "a balance thought to be valid past its period",
        "meter",
        ["periods_follow_anchors"],
        ["UPDATE balance SET valid_until = period_end + interval '1 day' WHERE customer_id = {meter}"],
    ),
    Corruption(
        "a grant that will never begin",
        "gone",
        ["nothing_due_is_skipped"],
        ["UPDATE balance SET valid_until = NULL WHERE customer_id = {gone}"],
    ),
    Corruption(
        "a deadline nobody watches",
        "acme",
        ["nothing_due_is_skipped"],
        ["UPDATE balance SET holds_until = NULL WHERE customer_id = {acme}"],
    ),
    Corruption(
        "an allowance granted twice",
        "old",
        ["allowances_are_granted_once"],
        another_grant("{old}", "interval '1 hour'"),
    ),
    Corruption(
        "an allowance not granted",
        "old",
        ["allowances_are_the_plans"],
        ["UPDATE credit_grant SET subscription_id = NULL WHERE customer_id = {old}"],
    ),
]

CORRUPTIONS = LEDGER + USAGE + GATE + TIME
