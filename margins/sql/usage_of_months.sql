-- For slices of whole calendar months, each of which stands for its first day.
u AS (
    SELECT *, month AS day, '' AS user_key FROM usage_month
    WHERE month >= %(first_day)s AND month < %(end_day)s
      AND (%(customers)s::bigint[] IS NULL OR customer_id = ANY(%(customers)s::bigint[]))
)
