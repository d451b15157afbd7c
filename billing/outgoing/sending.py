"""Posting messages, many at once, each within a time and to a checked address. Nothing here touches the database."""

import asyncio
import logging
import ssl
from collections.abc import Sequence
from functools import cache
from time import perf_counter
from typing import Final

import httpx
import msgspec
import structlog

from billing.outgoing.addresses import AddressRefused, addresses_of

log = structlog.get_logger("weir.webhooks")
logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every URL, and one may hold a token

SECONDS: Final = 15
"""For all of it: finding the address, connecting, an answer. Who needs longer answers first and works after."""

ANSWER_BYTES: Final = 2_000
"""How much of an answer is read and kept."""

_CONNECT_SECONDS: Final = 5


class Letter(msgspec.Struct, frozen=True):
    """A signed message and where it goes."""

    url: str
    body: str
    headers: dict[str, str]


class Outcome(msgspec.Struct, frozen=True):
    """What came of a try. `error` is empty where the endpoint took it."""

    status: int | None
    error: str
    ms: int
    response: str = ""

    @property
    def arrived(self) -> bool:
        return not self.error


def send_all(letters: Sequence[Letter]) -> list[Outcome]:
    """Post the letters side by side. Takes as long as the slowest, at most `SECONDS`; raises nothing of theirs."""
    return asyncio.run(_send_all(letters)) if letters else []


async def _send_all(letters: Sequence[Letter]) -> list[Outcome]:
    # Without the environment's proxies: one of them would connect wherever it finds the name to lead.
    async with httpx.AsyncClient(
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(SECONDS, connect=_CONNECT_SECONDS),
        verify=_trusted(),
    ) as client:
        return await asyncio.gather(*(_send(client, letter) for letter in letters))


async def _send(client: httpx.AsyncClient, letter: Letter) -> Outcome:
    began = perf_counter()

    def outcome(error: str, status: int | None = None, response: str = "") -> Outcome:
        return Outcome(status, _storable(error)[:500], round((perf_counter() - began) * 1000), _storable(response))

    try:
        # httpx limits each read; only this limits an endpoint that answers a byte at a time.
        async with asyncio.timeout(SECONDS):
            status, text = await _post(client, letter)
    except TimeoutError:
        return outcome(f"no answer within {SECONDS} seconds")
    except (httpx.HTTPError, AddressRefused, OSError) as error:
        return outcome(f"{type(error).__name__}: {error}")
    except Exception as error:  # one letter must not take the others with it
        log.warning("webhook_not_sent", url=letter.url, exc_info=error)
        return outcome(f"{type(error).__name__}: {error}")
    if 200 <= status < 300:
        return outcome("", status, text)
    return outcome("redirects are not followed" if 300 <= status < 400 else f"answered {status}", status, text)


async def _post(client: httpx.AsyncClient, letter: Letter) -> tuple[int, str]:
    """Post to the first of the host's addresses that can be connected to. Returns the status and the answer's start."""
    url = httpx.URL(letter.url)
    headers = letter.headers | {
        "Host": url.netloc.decode(),
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "weir-webhooks",
    }
    host = url.raw_host.decode()  # as DNS and certificates know it
    addresses = await addresses_of(host, url.port or (443 if url.scheme == "https" else 80))
    for last, address in zip([*[False] * (len(addresses) - 1), True], addresses, strict=True):
        request = client.build_request(
            "POST",
            url.copy_with(host=address),
            content=letter.body,
            headers=headers,
            extensions={"sni_hostname": host},  # the certificate must be the name's, not the address's
        )
        try:
            response = await client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            if last:
                raise
            continue
        try:
            return response.status_code, await _beginning(response)
        finally:
            await response.aclose()
    raise AddressRefused(f"{host} has no address")


async def _beginning(response: httpx.Response) -> str:
    kept = b""
    async for chunk in response.aiter_raw(ANSWER_BYTES):
        kept += chunk
        if len(kept) >= ANSWER_BYTES:
            break
    return kept[:ANSWER_BYTES].decode(errors="replace")


def _storable(text: str) -> str:
    """PostgreSQL keeps no NUL in a text, and an endpoint may answer anything."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


@cache
def _trusted() -> ssl.SSLContext:
    """Reading the certificates takes longer than sending."""
    return httpx.create_ssl_context(trust_env=False)
