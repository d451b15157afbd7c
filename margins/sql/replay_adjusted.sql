LEFT JOIN (
    SELECT customer_id, key_digest, sum(delta_nanousd)::bigint AS moved, sum(priced) AS priced
    FROM cost_adjustment
    WHERE customer_id = ANY(%(customers)s) AND occurred_at >= %(since)s AND occurred_at < %(until)s
    GROUP BY 1, 2
) a ON a.customer_id = e.customer_id AND a.key_digest = e.key_digest
