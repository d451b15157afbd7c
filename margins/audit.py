"""What `audit_ledger` proves of margins."""

from entitlements.audit import Check, add_check
from margins.queries.recount import DIFFERS, recount_sql


def add_checks() -> None:
    """Have the rollups of revenue proven with everything else."""
    # The audit names one customer or none; the statement takes several.
    one = "CASE WHEN %(customer_id)s::bigint IS NOT NULL THEN ARRAY[%(customer_id)s::bigint] END"
    recount = recount_sql().replace("%(customers)s::bigint[]", one)
    sql = f"""
        SELECT customer_id, CASE WHEN {DIFFERS} THEN concat(
            rollup, ' ', place, ' stores ', COALESCE(stored::text, 'nothing'), ', the ledger earned ',
            COALESCE(recounted::text, 'nothing')) END AS fault
        FROM ({recount}) rollup"""  # noqa: S608 - our own files
    add_check(Check("revenue_is_recounted", "revenue rollups are what the ledgers earned", "rollup rows", sql))
