INSERT INTO revenue_mark (customer_id, seq) SELECT unnest(%(customers)s::bigint[]), 0 ORDER BY 1
ON CONFLICT (customer_id) DO NOTHING
