-- Lock the balance rows of some customers, in the order of their ids so that two writers never deadlock.
-- Run on its own: what belongs to the accounts is read by the next statements, whose snapshots are taken
-- after the locks are held.
SELECT c.id, c.key, c.currency, c.time_zone,
       b.posted_microcredits, b.held_microcredits, b.debt_microcredits, b.overage_microcredits, b.ledger_seq,
       b.valid_until, b.subscription_id, b.plan_version_id, b.anchor, b.period_start, b.period_end, b.allowance_end,
       b.holds_until, b.overage_billed_microcredits, b.overdue_since,
       b.low_below_microcredits, b.low_since, b.spend_cap_microcredits, b.xmin::text::bigint
FROM customer c JOIN balance b ON b.customer_id = c.id
WHERE c.key = ANY(%(keys)s) OR c.id = ANY(%(ids)s)
ORDER BY b.customer_id
FOR NO KEY UPDATE OF b
