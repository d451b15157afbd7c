-- Whose events a re-rating moved and has not moved back.
SELECT customer_id FROM cost_adjustment
WHERE rerating_id = %(rerating_id)s GROUP BY customer_id HAVING count(*) FILTER (WHERE NOT undo) > count(*) FILTER (WHERE undo)
ORDER BY customer_id
