"""What moved on the account's balance, fees included (https://docs.stripe.com/api/balance_transactions)."""

from sandbox.errors import Obj
from sandbox.listing import page
from sandbox.params import Params
from sandbox.routes import v1
from sandbox.world import World


def move(world: World, source: Obj, *, kind: str, amount: int, fee: int = 0, category: str | None = None) -> Obj:
    """Record that the balance moved by `amount`, negative for money going out, less the fee."""
    now = world.now()
    details = [{"amount": fee, "application": None, "currency": source["currency"], "type": "stripe_fee"}]
    details[0]["description"] = "Stripe processing fees"
    return world.adopt(
        {
            "id": world.new_id("balance_transaction"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": now,
            "balance_type": "payments",
            "created": now,
            "currency": source["currency"],
            "description": source.get("description"),
            "exchange_rate": None,
            "fee": fee,
            "fee_details": details if fee else [],
            "net": amount - fee,
            "reporting_category": category or kind,
            "source": source["id"],
            "status": "available",
            "type": kind,
        }
    )


@v1.get("/v1/balance_transactions/{transaction}")
def retrieve(world: World, params: Params, transaction: str) -> Obj:
    return world.get("balance_transaction", transaction)


@v1.get("/v1/balance_transactions")
def list_all(world: World, params: Params) -> Obj:
    url = "/v1/balance_transactions"
    return page(world, params, "balance_transaction", url, equal=("currency", "source", "type"))


@v1.get("/v1/balance")
def balance(world: World, params: Params) -> Obj:
    """Everything is available at once: the sandbox pays nothing out."""
    totals: dict[str, int] = {}
    for one in world.store.find("balance_transaction"):
        totals[one["currency"]] = totals.get(one["currency"], 0) + one["net"]
    available = [
        {"amount": amount, "currency": currency, "source_types": {"card": amount}}
        for currency, amount in sorted(totals.items())
    ]
    return {
        "object": "balance",
        "available": available,
        "livemode": False,
        "pending": [one | {"amount": 0, "source_types": {"card": 0}} for one in available],
    }


@v1.get("/v1/account")
def account(world: World, params: Params) -> Obj:
    """Whose key this is: a made-up company."""
    return {
        "id": "acct_sandbox",
        "object": "account",
        "business_profile": None,
        "charges_enabled": True,
        "country": "US",
        "default_currency": "usd",
        "details_submitted": True,
        "email": "sandbox@example.com",
        "payouts_enabled": False,
        "type": "standard",
    }
