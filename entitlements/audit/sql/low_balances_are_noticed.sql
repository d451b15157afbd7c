-- Whoever moved credits last noted whether available was below the mark; nothing moves by itself without being written.
SELECT customer_id,
       CASE WHEN (low_since IS NOT NULL) <>
                 COALESCE(posted_microcredits - held_microcredits - debt_microcredits < low_below_microcredits, false)
            THEN concat(posted_microcredits - held_microcredits - debt_microcredits, ' are available, the mark is ',
                        low_below_microcredits, ', and low since is ', COALESCE(low_since::text, 'not set'))
       END AS fault
FROM balance
WHERE %(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s
