"""Products and prices (https://docs.stripe.com/api/products, /api/prices)."""

from decimal import Decimal

from sandbox.errors import InvalidRequest, Missing, Obj
from sandbox.listing import page
from sandbox.money import LARGEST, checked_currency
from sandbox.objects.fields import merge_metadata, metadata, set_flags, set_texts
from sandbox.params import Params
from sandbox.routes import v1
from sandbox.store import Where
from sandbox.world import World

_LONGEST = {"day": 1095, "week": 156, "month": 36, "year": 3}


@v1.post("/v1/products")
def create_product(world: World, params: Params) -> Obj:
    chosen = params.text("id")
    if chosen is not None and world.store.get(chosen) is not None:
        raise InvalidRequest("Product already exists.", code="resource_already_exists", param="id")
    product = _new_product(world, params, chosen)
    if params.has("default_price_data"):
        sent = params.child("default_price_data")
        product["default_price"] = _new_price(world, sent, product)["id"]
    world.emit("product.created", product)
    return product


@v1.get("/v1/products/{product}")
def retrieve_product(world: World, params: Params, product: str) -> Obj:
    found = world.get("product", product)
    return _tombstone(found) if found.get("deleted") else found


@v1.post("/v1/products/{product}")
def update_product(world: World, params: Params, product: str) -> Obj:
    found = world.get("product", product)
    if found.get("deleted"):
        raise Missing("product", product)
    set_texts(found, params, "name", "description", "statement_descriptor", "tax_code", "unit_label", "url")
    set_flags(found, params, "active")
    merge_metadata(found, params)
    if params.has("default_price"):
        found["default_price"] = world.named("price", params.needed("default_price"), "default_price")["id"]
    found["updated"] = world.now()
    world.emit_updated("product.updated", found)
    return found


@v1.delete("/v1/products/{product}")
def delete_product(world: World, params: Params, product: str) -> Obj:
    found = world.get("product", product)
    if world.store.find("price", product=product):
        raise InvalidRequest("This product cannot be deleted because it has one or more user-created prices.")
    found["deleted"] = True
    world.emit("product.deleted", found)
    return _tombstone(found)


@v1.get("/v1/products")
def list_products(world: World, params: Params) -> Obj:
    ids = params.texts("ids")
    listed = page(world, params, "product", "/v1/products", equal=("active", "url"))
    if ids:
        listed["data"] = [one for one in listed["data"] if one["id"] in ids]
    return listed


@v1.post("/v1/prices")
def create_price(world: World, params: Params) -> Obj:
    if params.has("product_data"):
        product = _new_product(world, params.child("product_data"), None)
        world.emit("product.created", product)
    else:
        product = world.named("product", params.needed("product"), "product")
    price = _new_price(world, params, product)
    price["nickname"] = params.text("nickname")
    price["metadata"] = metadata(params)
    set_flags(price, params, "active")
    _take_lookup_key(world, price, params)
    world.emit("price.created", price)
    return price


@v1.get("/v1/prices/{price}")
def retrieve_price(world: World, params: Params, price: str) -> Obj:
    return world.get("price", price)


@v1.post("/v1/prices/{price}")
def update_price(world: World, params: Params, price: str) -> Obj:
    """What a price asks never changes; only how it is called and whether it is still offered."""
    found = world.get("price", price)
    set_texts(found, params, "nickname", "tax_behavior")
    set_flags(found, params, "active")
    merge_metadata(found, params)
    _take_lookup_key(world, found, params)
    world.emit_updated("price.updated", found)
    return found


@v1.get("/v1/prices")
def list_prices(world: World, params: Params) -> Obj:
    keys = params.texts("lookup_keys")
    recurring = params.child("recurring")
    wheres = [Where(f"recurring.{name}", "IS", recurring.text(name)) for name in recurring.tree]
    equal = ("active", "currency", "product", "type")
    if not keys:
        return page(world, params, "price", "/v1/prices", equal=equal, wheres=wheres)
    params.accept("limit")
    found = [price for key in keys for price in world.store.find("price", lookup_key=key)]
    kept = [price for price in found if not params.has("active") or price["active"] == params.flag("active")]
    return {"object": "list", "data": kept, "has_more": False, "url": "/v1/prices"}


def price_from_data(world: World, sent: Params) -> Obj:
    """The price an inline ``price_data`` describes, with its product; Stripe keeps such prices inactive."""
    if sent.has("product_data"):
        product = _new_product(world, sent.child("product_data"), None)
    else:
        product = world.named("product", sent.needed("product"), sent.path("product"))
    price = _new_price(world, sent, product)
    price["active"] = False
    return price


def offered_price(world: World, params: Params) -> Obj:
    """The price that ``price`` names or ``price_data`` describes."""
    if params.has("price_data"):
        return price_from_data(world, params.child("price_data"))
    price = world.named("price", params.needed("price"), params.path("price"))
    if not price["active"]:
        raise InvalidRequest(
            "The price specified is inactive. This field only accepts active prices.", param=params.path("price")
        )
    return price


def unit_amount(price: Obj) -> Decimal:
    """What one unit costs, in minor units, with fractions where the price has them."""
    return Decimal(price["unit_amount_decimal"])


def _new_product(world: World, params: Params, chosen: str | None) -> Obj:
    now = world.now()
    return world.adopt(
        {"id": chosen or world.new_id("product")}
        | world.basics("product")
        | {
            "active": params.flag("active", default=True),
            "default_price": None,
            "description": params.text("description"),
            "images": [],
            "marketing_features": [],
            "metadata": metadata(params),
            "name": params.needed("name"),
            "package_dimensions": None,
            "shippable": None,
            "statement_descriptor": params.text("statement_descriptor"),
            "tax_code": params.text("tax_code"),
            "unit_label": params.text("unit_label"),
            "updated": now,
            "url": params.text("url"),
        }
    )


def _new_price(world: World, params: Params, product: Obj) -> Obj:
    amount, exact = params.integer("unit_amount"), params.decimal("unit_amount_decimal")
    if (amount is None) == (exact is None):
        raise InvalidRequest("You must specify either `unit_amount` or `unit_amount_decimal`.", param="unit_amount")
    asked = Decimal(amount) if amount is not None else exact or Decimal(0)
    if not 0 <= asked <= LARGEST:
        raise InvalidRequest("Invalid unit amount.", param="unit_amount")
    recurring = _recurring(params) if params.has("recurring") else None
    return world.new(
        "price",
        active=True,
        billing_scheme=params.choice("billing_scheme", "per_unit", ("per_unit",)),
        currency=checked_currency(params.needed("currency")),
        custom_unit_amount=None,
        lookup_key=None,
        metadata={},
        nickname=None,
        product=product["id"],
        recurring=recurring,
        tax_behavior=params.text("tax_behavior") or "unspecified",
        tiers_mode=None,
        transform_quantity=None,
        type="one_time" if recurring is None else "recurring",
        unit_amount=int(asked) if asked == asked.to_integral_value() else None,
        unit_amount_decimal=f"{asked.normalize():f}",
    )


def _recurring(params: Params) -> Obj:
    sent = params.child("recurring")
    interval = sent.choice("interval", "", tuple(_LONGEST))
    count = sent.integer("interval_count") or 1
    if not 1 <= count <= _LONGEST[interval]:
        raise InvalidRequest("The interval may not be longer than three years.", param="recurring[interval_count]")
    return {
        "interval": interval,
        "interval_count": count,
        "meter": None,
        "usage_type": sent.choice("usage_type", "licensed", ("licensed",)),
    }


def _take_lookup_key(world: World, price: Obj, params: Params) -> None:
    """A lookup key names one price; it moves only when asked to."""
    if not params.has("lookup_key"):
        params.accept("transfer_lookup_key")
        return
    key, moves = params.text("lookup_key"), params.flag("transfer_lookup_key")
    for holder in world.store.find("price", lookup_key=key) if key else []:
        if holder["id"] != price["id"]:
            if not moves:
                raise InvalidRequest(f"A price (`{holder['id']}`) already uses that lookup key.", param="lookup_key")
            holder["lookup_key"] = None
            world.emit_updated("price.updated", holder)
    price["lookup_key"] = key


def _tombstone(product: Obj) -> Obj:
    return {"id": product["id"], "object": "product", "deleted": True}
