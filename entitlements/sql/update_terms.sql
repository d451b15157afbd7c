-- What of a balance row changes with a subscription, its periods and its payments, and not with every call.
UPDATE balance b SET
    subscription_id = r.subscription_id, plan_version_id = r.plan_version_id, anchor = r.anchor,
    period_start = r.period_start, period_end = r.period_end, allowance_end = r.allowance_end,
    overage_billed_microcredits = r.overage_billed_microcredits, overdue_since = r.overdue_since,
    low_below_microcredits = r.low_below_microcredits, low_since = r.low_since,
    spend_cap_microcredits = r.spend_cap_microcredits
FROM json_populate_recordset(NULL::balance, %(rows)s::json) r
WHERE b.customer_id = r.customer_id
