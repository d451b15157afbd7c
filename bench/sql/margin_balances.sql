-- Grants and balances of the span of ids as its ledger leaves them.
WITH entries AS (
    SELECT customer_id, grant_id, sum(amount_microcredits) AS remaining, max(seq) AS last
    FROM ledger_entry WHERE customer_id BETWEEN %(first)s AND %(last)s GROUP BY customer_id, grant_id
), grants AS (
    UPDATE credit_grant g SET remaining_microcredits = e.remaining
    FROM entries e WHERE g.customer_id = e.customer_id AND g.id = e.grant_id
)
UPDATE balance b SET posted_microcredits = e.posted, ledger_seq = e.last
FROM (SELECT customer_id, sum(remaining) AS posted, max(last) AS last FROM entries GROUP BY customer_id) e
WHERE b.customer_id = e.customer_id
