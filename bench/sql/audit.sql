-- Whether every promise a fast wrong answer would break still holds. Each row: what should agree, and how many do not.
WITH entries AS (
    SELECT customer_id, count(*) AS n, max(seq) AS last,
           coalesce(sum(amount_microcredits) FILTER (WHERE bucket = 1), 0) AS posted,
           coalesce(-sum(amount_microcredits) FILTER (WHERE bucket = 2), 0) AS debt,
           coalesce(-sum(amount_microcredits) FILTER (WHERE bucket = 3), 0) AS overage
    FROM ledger_entry GROUP BY customer_id
), grants AS (
    SELECT customer_id, sum(remaining_microcredits) AS remaining
    FROM credit_grant WHERE activated_at IS NOT NULL GROUP BY customer_id
), open_holds AS (
    SELECT customer_id, sum(held_microcredits) AS held, count(*) AS n
    FROM hold WHERE closed_at IS NULL GROUP BY customer_id
), charged AS (
    SELECT customer_id, sum(charged_microcredits) AS charged, count(*) AS n FROM usage_event GROUP BY customer_id
), days AS (
    SELECT customer_id, sum(calls) AS calls, sum(charged_microcredits) AS charged FROM usage_day GROUP BY customer_id
), months AS (
    SELECT customer_id, sum(calls) AS calls, sum(charged_microcredits) AS charged FROM usage_month GROUP BY customer_id
), burned AS (
    SELECT customer_id, -sum(amount_microcredits) AS charged
    FROM ledger_entry WHERE event_digest IS NOT NULL GROUP BY customer_id
), counters AS (
    SELECT customer_id, sum(used) AS used, sum(held) AS held
    FROM limit_counter WHERE limit_key = 'period-credits' GROUP BY customer_id
), whole AS (
    SELECT b.*, e.n, e.last, e.posted, e.debt, e.overage, g.remaining, coalesce(h.held, 0) AS open_held,
           coalesce(c.charged, 0) AS charged, coalesce(c.n, 0) AS calls, coalesce(d.calls, 0) AS day_calls,
           coalesce(d.charged, 0) AS day_charged, coalesce(m.calls, 0) AS month_calls,
           coalesce(m.charged, 0) AS month_charged, coalesce(p.charged, 0) AS burned,
           coalesce(k.used, 0) AS counted, coalesce(k.held, 0) AS counted_held
    FROM balance b LEFT JOIN entries e USING (customer_id) LEFT JOIN grants g USING (customer_id)
    LEFT JOIN open_holds h USING (customer_id) LEFT JOIN charged c USING (customer_id)
    LEFT JOIN days d USING (customer_id) LEFT JOIN months m USING (customer_id)
    LEFT JOIN burned p USING (customer_id) LEFT JOIN counters k USING (customer_id)
)
SELECT 'the balance is the sum of the ledger', count(*) FILTER (WHERE
    (posted_microcredits, debt_microcredits, overage_microcredits) IS DISTINCT FROM (posted, debt, overage)) FROM whole
UNION ALL SELECT 'the ledger has no gaps', count(*) FILTER (WHERE
    ledger_seq IS DISTINCT FROM n OR ledger_seq IS DISTINCT FROM last) FROM whole
UNION ALL SELECT 'the balance is what is left of the grants', count(*) FILTER (WHERE
    posted_microcredits IS DISTINCT FROM remaining) FROM whole
UNION ALL SELECT 'what is held is the sum of the open holds', count(*) FILTER (WHERE
    held_microcredits <> open_held) FROM whole
UNION ALL SELECT 'every charge is in the ledger', count(*) FILTER (WHERE charged <> burned) FROM whole
UNION ALL SELECT 'the rollup of days is a recount of the events', count(*) FILTER (WHERE
    (day_calls, day_charged) IS DISTINCT FROM (calls, charged)) FROM whole
UNION ALL SELECT 'the rollup of months is a recount of the events', count(*) FILTER (WHERE
    (month_calls, month_charged) IS DISTINCT FROM (calls, charged)) FROM whole
UNION ALL SELECT 'the limit counters are a recount of the events and holds', count(*) FILTER (WHERE
    (counted, counted_held) IS DISTINCT FROM (charged, open_held)) FROM whole
