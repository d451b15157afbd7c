-- The balance after every entry ever written: no part of it was ever below zero.
SELECT customer_id,
       CASE WHEN posted < 0 THEN concat('posted was ', posted, ' after entry ', seq)
            WHEN debt > 0 THEN concat('debt was ', -debt, ' after entry ', seq)
            WHEN overage > 0 THEN concat('overage was ', -overage, ' after entry ', seq) END AS fault
FROM (SELECT customer_id, seq, sum(amount_microcredits) FILTER (WHERE bucket = 1) OVER ledger AS posted,
             sum(amount_microcredits) FILTER (WHERE bucket = 2) OVER ledger AS debt,
             sum(amount_microcredits) FILTER (WHERE bucket = 3) OVER ledger AS overage
      FROM ledger_entry WHERE %(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s
      WINDOW ledger AS (PARTITION BY customer_id ORDER BY seq)) entry
