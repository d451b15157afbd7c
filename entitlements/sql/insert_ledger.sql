INSERT INTO ledger_entry
    (customer_id, seq, recorded_at, effective_at, kind, bucket, amount_microcredits, grant_id, event_digest)
SELECT * FROM unnest(
    %(customer_id)s::bigint[], %(seq)s::bigint[], %(recorded_at)s::timestamptz[], %(effective_at)s::timestamptz[],
    %(kind)s::smallint[], %(bucket)s::smallint[], %(amount_microcredits)s::bigint[], %(grant_id)s::uuid[],
    %(event_digest)s::uuid[]
)
