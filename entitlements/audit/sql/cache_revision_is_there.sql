-- No row yet means that nothing was ever there to be cached.
SELECT NULL::bigint AS customer_id,
       CASE WHEN count(*) > 1 THEN concat('cache_revision has ', count(*), ' rows')
            WHEN count(*) = 0 AND (EXISTS (SELECT FROM feature) OR EXISTS (SELECT FROM plan)
                                   OR EXISTS (SELECT FROM api_key) OR EXISTS (SELECT FROM cost_card))
            THEN 'cache_revision has no row: no process learns of a change'
       END AS fault
FROM cache_revision
