-- What a re-rating moved, cut by one column: what those calls cost by their stamps and earlier corrections, and by how
-- much that moved. Taken back or not: an undo leaves the record of what was.
SELECT {column}, count(*)::bigint, sum(priced)::bigint, sum(delta_nanousd)::bigint
FROM cost_adjustment
WHERE rerating_id = %(rerating_id)s AND NOT undo
GROUP BY 1
ORDER BY abs(sum(delta_nanousd)) DESC, 1
LIMIT %(most)s
