UPDATE balance b SET
    posted_microcredits = u.posted, held_microcredits = u.held, debt_microcredits = u.debt,
    overage_microcredits = u.overage, ledger_seq = u.seq, valid_until = u.valid_until,
    subscription_id = u.subscription_id, plan_version_id = u.plan_version_id, anchor = u.anchor,
    period_start = u.period_start, period_end = u.period_end, allowance_end = u.allowance_end,
    holds_until = u.holds_until
FROM unnest(
    %(customer_id)s::bigint[], %(posted)s::bigint[], %(held)s::bigint[], %(debt)s::bigint[], %(overage)s::bigint[],
    %(seq)s::bigint[], %(valid_until)s::timestamptz[], %(subscription_id)s::bigint[], %(plan_version_id)s::bigint[],
    %(anchor)s::timestamptz[], %(period_start)s::timestamptz[], %(period_end)s::timestamptz[],
    %(allowance_end)s::timestamptz[], %(holds_until)s::timestamptz[]
) AS u (customer_id, posted, held, debt, overage, seq, valid_until, subscription_id, plan_version_id, anchor,
        period_start, period_end, allowance_end, holds_until)
WHERE b.customer_id = u.customer_id
