INSERT INTO decision (customer_id, id, decided_at, decision, reason, revision, question, account, answer)
SELECT * FROM unnest(
    %(customer_id)s::bigint[], %(id)s::uuid[], %(decided_at)s::timestamptz[], %(decision)s::text[], %(reason)s::text[],
    %(revision)s::bigint[], %(question)s::jsonb[], %(account)s::jsonb[], %(answer)s::jsonb[]
)
