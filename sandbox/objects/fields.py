"""Reading the fields that many objects share."""

from sandbox.errors import InvalidRequest, Obj
from sandbox.params import Params


def set_texts(obj: Obj, params: Params, *names: str) -> None:
    """Texts that were sent replace the object's; an empty one unsets it."""
    for name in names:
        if params.has(name):
            obj[name] = params.text(name)


def set_flags(obj: Obj, params: Params, *names: str) -> None:
    for name in names:
        if params.has(name):
            obj[name] = params.flag(name)


def merge_metadata(obj: Obj, params: Params) -> None:
    """Keys that were sent are set, or removed where empty; an empty ``metadata`` removes all."""
    if params.has("metadata"):
        sent = params.mapping("metadata")
        merged = ({} if params.tree["metadata"] == "" else obj.get("metadata") or {}) | sent
        obj["metadata"] = {key: value for key, value in merged.items() if value}
        if len(obj["metadata"]) > 50:
            raise InvalidRequest("You can only specify up to 50 metadata keys.", param="metadata")


def metadata(params: Params) -> dict[str, str]:
    """A new object's metadata."""
    holder: Obj = {}
    merge_metadata(holder, params)
    found: dict[str, str] = holder.get("metadata", {})
    return found


ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def address(params: Params, name: str = "address") -> Obj | None:
    if not params.has(name):
        return None
    sent = params.child(name)
    return {part: sent.text(part) for part in ADDRESS}
