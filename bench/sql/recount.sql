-- What one run of the bench left behind, by the first part of the keys: measure.run.round.number.
SELECT split_part(key, '.', 1), count(*) FROM usage_event WHERE split_part(key, '.', 2) = %(run)s GROUP BY 1
UNION ALL
SELECT split_part(key, '.', 1), count(*) FROM hold WHERE split_part(key, '.', 2) = %(run)s GROUP BY 1
