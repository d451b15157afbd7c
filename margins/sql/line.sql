-- The cost lines whose cost does not follow from a row's own usage or revenue. Percentages are ten-thousandths.
line AS (
    SELECT * FROM unnest(
        %(line_id)s::bigint[], %(line_basis)s::text[], %(line_amount_nano)s::numeric[], %(line_currency)s::text[],
        %(line_percent_e4)s::numeric[], %(line_starts_at)s::timestamptz[], %(line_ends_at)s::timestamptz[],
        %(line_customer_id)s::bigint[], %(line_plan_id)s::bigint[], %(line_feature_id)s::bigint[], %(line_meter)s::text[],
        %(line_shared_by)s::text[]
    ) AS line (id, basis, amount_nano, currency, percent_e4, starts_at, ends_at, customer_id, plan_id, feature_id, meter, shared_by)
)
