-- The parts that move with every call; the rest of the row is update_terms'.
UPDATE balance b SET
    posted_microcredits = r.posted_microcredits, held_microcredits = r.held_microcredits,
    debt_microcredits = r.debt_microcredits, overage_microcredits = r.overage_microcredits, ledger_seq = r.ledger_seq,
    valid_until = r.valid_until, holds_until = r.holds_until
FROM json_to_recordset(%(rows)s::json) AS r (
    customer_id bigint, posted_microcredits bigint, held_microcredits bigint, debt_microcredits bigint,
    overage_microcredits bigint, ledger_seq bigint, valid_until timestamptz, holds_until timestamptz)
WHERE b.customer_id = r.customer_id
