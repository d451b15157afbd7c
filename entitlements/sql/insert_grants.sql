INSERT INTO credit_grant
    (customer_id, id, key_digest, key, body_digest, source, priority, amount_microcredits, remaining_microcredits,
     effective_at, expires_at, created_at, activated_at, closed_at, voided_at, paid, paid_currency, subscription_id,
     reason, actor)
SELECT * FROM unnest(
    %(customer_id)s::bigint[], %(id)s::uuid[], %(key_digest)s::uuid[], %(key)s::text[], %(body_digest)s::uuid[],
    %(source)s::text[], %(priority)s::smallint[], %(amount)s::bigint[], %(remaining)s::bigint[],
    %(effective_at)s::timestamptz[], %(expires_at)s::timestamptz[], %(created_at)s::timestamptz[],
    %(activated_at)s::timestamptz[], %(closed_at)s::timestamptz[], %(voided_at)s::timestamptz[],
    %(paid)s::numeric[], %(paid_currency)s::text[], %(subscription_id)s::bigint[], %(reason)s::text[], %(actor)s::text[]
)
