SELECT COALESCE(b.customer_id, l.customer_id) AS customer_id,
       CASE WHEN l.entries <> l.newest OR l.oldest <> 1
            THEN concat(l.entries, ' entries are numbered ', l.oldest, ' to ', l.newest)
            WHEN COALESCE(l.newest, 0) IS DISTINCT FROM b.ledger_seq
            THEN concat('the balance counts ', b.ledger_seq, ' entries, there are ', COALESCE(l.newest, 0))
       END AS fault
FROM (SELECT customer_id, ledger_seq FROM balance
      WHERE %(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s) b
FULL JOIN (SELECT customer_id, count(*) AS entries, min(seq) AS oldest, max(seq) AS newest FROM ledger_entry
           WHERE %(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s
           GROUP BY customer_id) l USING (customer_id)
