-- Add to the rollups what the customers' ledgers have earned since their marks, and move the marks, in one statement: one
-- snapshot tells both. The marks are locked before (lock_marks.sql). Begins with unread.sql and earned.sql.
, sums AS MATERIALIZED (
    SELECT customer_id, day, plan_version_id, feature_id, model, user_key, kind, currency, sum(amount_nano) AS amount_nano,
           coalesce(sum(amount_nano) FILTER (WHERE is_late), 0) AS restated_nano,
           max(recorded_at) FILTER (WHERE is_late) AS restated_at
    FROM earned
    GROUP BY customer_id, day, plan_version_id, feature_id, model, user_key, kind, currency
),
days AS (
    INSERT INTO revenue_day AS d (customer_id, day, plan_version_id, feature_id, model, user_key, kind, currency,
                                  amount_nano, restated_nano, restated_at)
    SELECT * FROM sums
    ON CONFLICT (customer_id, day, plan_version_id, feature_id, model, user_key, kind, currency) DO UPDATE SET
        amount_nano = d.amount_nano + excluded.amount_nano,
        restated_nano = d.restated_nano + excluded.restated_nano,
        restated_at = greatest(d.restated_at, excluded.restated_at)
),
months AS (
    INSERT INTO revenue_month AS m (customer_id, month, plan_version_id, kind, currency, amount_nano)
    SELECT customer_id, date_trunc('month', day)::date, plan_version_id, kind, currency, sum(amount_nano)
    FROM sums GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (customer_id, month, plan_version_id, kind, currency) DO UPDATE SET
        amount_nano = m.amount_nano + excluded.amount_nano
)
UPDATE revenue_mark m SET seq = last.seq
FROM (SELECT customer_id, max(seq) AS seq FROM unread GROUP BY customer_id) last
WHERE m.customer_id = last.customer_id
