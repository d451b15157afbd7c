-- The later re-ratings, still in force, that started from what this one made of an event.
SELECT DISTINCT later.rerating_id
FROM cost_adjustment mine
JOIN cost_adjustment later ON later.customer_id = mine.customer_id AND later.key_digest = mine.key_digest
                          AND later.rerating_id > mine.rerating_id AND NOT later.undo
JOIN rerating r ON r.id = later.rerating_id AND r.state <> 'undone'
WHERE mine.rerating_id = %(rerating_id)s AND NOT mine.undo
ORDER BY 1
