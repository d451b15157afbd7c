-- What of a balance row changes with a subscription and its periods.
UPDATE balance b SET
    subscription_id = r.subscription_id, plan_version_id = r.plan_version_id, anchor = r.anchor,
    period_start = r.period_start, period_end = r.period_end, allowance_end = r.allowance_end
FROM json_populate_recordset(NULL::balance, %(rows)s::json) r
WHERE b.customer_id = r.customer_id
