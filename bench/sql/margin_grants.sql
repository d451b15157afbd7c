-- An allowance, and a pack that was paid for, of every customer in the span of ids; neither is ever used up.
INSERT INTO credit_grant (customer_id, id, key_digest, key, body_digest, source, priority, amount_microcredits,
    remaining_microcredits, effective_at, created_at, activated_at, paid, paid_currency, subscription_id, reason, actor)
SELECT c.id, md5(kind.source || c.id)::uuid, md5(kind.source || c.id)::uuid, kind.source || c.id, md5(c.id::text)::uuid,
       kind.source, kind.priority, 1000000000000, 1000000000000, %(start)s, %(start)s, %(start)s, kind.paid, 'USD', NULL, '', ''
FROM customer c, (VALUES ('allowance', 50, 0), ('top_up', 100, 1999.99)) AS kind (source, priority, paid)
WHERE c.id BETWEEN %(first)s AND %(last)s
