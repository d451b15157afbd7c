\set customer random(1, :customers)
WITH paid AS (UPDATE bench_account SET available = available - 128000 WHERE customer_id = :customer AND available >= 128000 RETURNING customer_id) INSERT INTO bench_entry (customer_id, key, amount) SELECT customer_id, gen_random_uuid(), -128000 FROM paid;
