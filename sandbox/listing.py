"""Lists, page by page (https://docs.stripe.com/api/pagination)."""

from collections.abc import Iterable

from sandbox.errors import InvalidRequest, MissingReference, Obj
from sandbox.params import Params
from sandbox.store import Where
from sandbox.world import World

_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def page(
    world: World,
    params: Params,
    kind: str,
    url: str,
    *,
    equal: Iterable[str] = (),
    dated: Iterable[str] = ("created",),
    wheres: Iterable[Where] = (),
) -> Obj:
    """One page of a kind, newest first, filtered by the named parameters and by further conditions."""
    conditions = list(wheres)
    conditions += [Where(name, "IS", _value(params, name)) for name in equal if params.has(name)]
    for name in dated:
        conditions += _dates(params, name)
    limit = _limit(params)
    after, before = params.text("starting_after"), params.text("ending_before")
    if after and before:
        raise InvalidRequest("You cannot use both starting_after and ending_before.", param="ending_before")
    for cursor in (after, before):
        if cursor is not None and world.store.get(cursor) is None:
            raise MissingReference(kind.rsplit(".", 1)[-1], cursor, "starting_after" if after else "ending_before")
    found = world.store.select(kind, conditions, limit=limit + 1, beyond=after or before, backwards=before is not None)
    shown = found[:limit]
    return listed(shown[::-1] if before else shown, url, has_more=len(found) > limit)


def listed(objects: list[Obj], url: str, *, has_more: bool = False) -> Obj:
    """A list object around these."""
    return {"object": "list", "data": objects, "has_more": has_more, "url": url}


def slice_of(params: Params, objects: list[Obj], url: str) -> Obj:
    """A page of parts that are kept inside another object, such as an invoice's lines."""
    limit, after = _limit(params), params.text("starting_after")
    if after is not None:
        ids = [one["id"] for one in objects]
        if after not in ids:
            raise MissingReference("object", after, "starting_after")
        objects = objects[ids.index(after) + 1 :]
    return listed(objects[:limit], url, has_more=len(objects) > limit)


def _limit(params: Params) -> int:
    limit = params.integer("limit")
    if limit is not None and not 1 <= limit <= 100:
        raise InvalidRequest("This value must be between 1 and 100.", param="limit")
    return limit or 10


def _value(params: Params, name: str) -> str | bool | None:
    text = params.text(name)
    return text == "true" if text in {"true", "false"} else text


def _dates(params: Params, name: str) -> list[Where]:
    value = params.tree.get(name)
    if value is None:
        return []
    if isinstance(value, str):
        return [Where(name, "IS", params.integer(name))]
    range_ = params.child(name)
    return [
        Where(name, sign, range_.integer(word))  # type: ignore[arg-type]
        for word, sign in _COMPARISONS.items()
        if range_.has(word)
    ]
