-- The parts that move with every call; the rest of the row is update_terms'. Whoever decided on rows of other versions, or
-- on a catalogue of another revision (null: does not ask), is told to decide again, and nothing is written.
WITH moved AS (
    UPDATE balance b SET
        posted_microcredits = r.posted_microcredits, held_microcredits = r.held_microcredits,
        debt_microcredits = r.debt_microcredits, overage_microcredits = r.overage_microcredits, ledger_seq = r.ledger_seq,
        valid_until = r.valid_until, holds_until = r.holds_until
    FROM json_to_recordset(%(rows)s::json) AS r (
        customer_id bigint, version bigint, posted_microcredits bigint, held_microcredits bigint, debt_microcredits bigint,
        overage_microcredits bigint, ledger_seq bigint, valid_until timestamptz, holds_until timestamptz)
    WHERE b.customer_id = r.customer_id AND b.xmin::text::bigint = r.version
    RETURNING b.xmin::text::bigint AS version
)
SELECT min(version), decide_again_unless(
    count(*) = %(moving)s
    AND (%(revision)s::bigint IS NULL OR %(revision)s::bigint = (SELECT revision FROM cache_revision)))
FROM moved
