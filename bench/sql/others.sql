-- As many customers more, alike in all but their names. A trigger gives each a balance.
INSERT INTO customer (key, name, email, currency, time_zone, tags, created_at)
SELECT 'c' || lpad(number::text, 7, '0'), name, email, currency, time_zone, tags, created_at
FROM customer, generate_series(1, %(others)s) AS number ORDER BY number
