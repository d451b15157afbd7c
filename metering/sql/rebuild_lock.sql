-- The lock every writer of a customer's events and rollups takes first. The balance is another app's table; its row
-- is everybody's lock.
SELECT customer_id FROM balance WHERE customer_id = %(customer_id)s FOR NO KEY UPDATE
