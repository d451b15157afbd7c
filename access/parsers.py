"""Reading a JSON body so that nothing strange gets past the door."""

from collections.abc import Iterator, Mapping
from typing import IO, Any

import msgspec
from django.conf import settings
from rest_framework.parsers import BaseParser

from kernel.errors import BodyTooLarge, InvalidInput, MalformedBody


class JsonParser(BaseParser):
    """Strict JSON in UTF-8: no NaN, no lone surrogates, no NUL (PostgreSQL's text cannot hold one), bounded size."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge(f"The body is larger than {limit} bytes")
        try:
            value = msgspec.json.decode(body)
        except RecursionError:
            raise MalformedBody("The body is nested too deeply") from None
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise MalformedBody(f"The body is not valid JSON: {error}") from None
        # JSON can only spell NUL as an escape, so bodies without one need no walk.
        if b"\\u0000" in body:
            for path in nul_paths(value):
                raise InvalidInput("A text contains the character U+0000, which cannot be stored", field=path)
        return value


def nul_paths(value: Any, path: str = "") -> Iterator[str]:
    """The JSON path of every text in `value`, or member name, that contains NUL."""
    match value:
        case str() if "\0" in value:
            yield path
        case dict():
            for name, inner in value.items():
                if "\0" in name:
                    yield path
                yield from nul_paths(inner, f"{path}.{name}" if path else name)
        case list():
            for index, inner in enumerate(value):
                yield from nul_paths(inner, f"{path}[{index}]")
