-- One reader of a ledger at a time, in the order of customers so that two never deadlock. Run on its own: what the
-- reader adds up next is read by a newer snapshot than the locks.
SELECT seq FROM revenue_mark WHERE customer_id = ANY(%(customers)s::bigint[]) ORDER BY customer_id FOR UPDATE
