-- Nothing that happens by itself lies before the instant until which the balance is valid: a renewal, a grant that
-- begins or ends, a hold's deadline. A grant past its end may have left only what open holds keep alive.
SELECT b.customer_id,
       CASE WHEN b.allowance_end < valid.until THEN concat('the allowance due at ', b.allowance_end, ' was skipped')
            WHEN g.waiting < valid.until THEN concat('a grant effective at ', g.waiting, ' was skipped')
            WHEN g.expired > b.held_microcredits
            THEN concat('expired grants have ', g.expired, ' left, with ', b.held_microcredits, ' held')
            WHEN h.earliest < valid.until THEN concat('a hold that expired at ', h.earliest, ' was skipped')
            WHEN h.earliest IS NOT NULL AND (b.holds_until IS NULL OR h.earliest < b.holds_until)
            THEN concat('a hold expires at ', h.earliest, ', holds are thought to last until ',
                        COALESCE(b.holds_until::text, 'ever'))
       END AS fault
FROM balance b
CROSS JOIN LATERAL (SELECT COALESCE(b.valid_until, 'infinity') AS until) valid
LEFT JOIN LATERAL (
    SELECT min(effective_at) FILTER (WHERE activated_at IS NULL) AS waiting,
           sum(remaining_microcredits) FILTER (WHERE activated_at IS NOT NULL AND expires_at < valid.until) AS expired
    FROM credit_grant WHERE customer_id = b.customer_id AND closed_at IS NULL
) g ON true
LEFT JOIN LATERAL (
    SELECT min(expires_at) AS earliest FROM hold WHERE customer_id = b.customer_id AND closed_at IS NULL
) h ON true
WHERE %(customer_id)s::bigint IS NULL OR b.customer_id = %(customer_id)s
