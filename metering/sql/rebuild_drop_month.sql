-- A rollup row of no calls has no event.
DELETE FROM usage_month WHERE customer_id = %(customer_id)s AND calls = 0
