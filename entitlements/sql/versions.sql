-- Whether kept accounts are still what is stored: their balance rows' versions, and the catalogue's revision.
SELECT b.customer_id, b.xmin::text::bigint, (SELECT revision FROM cache_revision)
FROM balance b WHERE b.customer_id = ANY(%(ids)s::bigint[])
