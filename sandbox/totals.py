"""What the account took and gave, per currency: what a ledger is compared with. Minor units throughout."""

from sandbox.world import World

_NAMES = ("charges", "charged", "refunded", "disputed", "fees", "net")


def totals(world: World, *, customer: str | None = None) -> dict[str, dict[str, int]]:
    """Sums over successful charges, of everybody or of one customer. Currencies are never added to each other.

    `disputed` is what banks took back and did not return; `net` is what is left after fees.
    """
    sums: dict[str, dict[str, int]] = {}
    charges = {one["id"]: one for one in world.store.find("charge", paid=True)}
    if customer is not None:
        charges = {name: one for name, one in charges.items() if one["customer"] == customer}
    for charge in charges.values():
        sums.setdefault(charge["currency"], dict.fromkeys(_NAMES, 0))["charges"] += 1
        sums[charge["currency"]]["charged"] += charge["amount_captured"]
        sums[charge["currency"]]["refunded"] += charge["amount_refunded"]
    sources = set(charges)
    for dispute in world.store.find("dispute"):
        if dispute["charge"] in charges:
            sources.add(dispute["id"])
            sums[dispute["currency"]]["disputed"] += dispute["amount"] if dispute["status"] != "won" else 0
    sources |= {one["id"] for one in world.store.find("refund") if one["charge"] in charges}
    for moved in world.store.find("balance_transaction"):
        if moved["source"] in sources:
            sums[moved["currency"]]["fees"] += moved["fee"]
            sums[moved["currency"]]["net"] += moved["net"]
    return dict(sorted(sums.items()))
