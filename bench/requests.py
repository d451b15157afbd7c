"""The calls the load generator sends, as bytes: everything that stays the same is made once."""

import random
from collections.abc import Callable, Iterator
from itertools import count, islice

from bench.jobs import Job

CUSTOMER = b"c%07d"
"""A customer's key. Keys are of one length, and so are the bodies, so Content-Length is known beforehand."""

_ESTIMATE = b'"estimate":{"input_tokens":1200,"max_output_tokens":400}'
_USAGE = (
    b'"usage":{"prompt_tokens":1180,"completion_tokens":212,"total_tokens":1392,'
    b'"prompt_tokens_details":{"cached_tokens":512,"audio_tokens":0},'
    b'"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}'
)

EXPECTED = {
    "check": b'"decision":"allow"',
    "hold": b'"decision":"allow"',
    "settle": b'"status":"accepted"',
    "usage": b'"status":"accepted"',
    "ingest": b'"rejected":0',
}
"""What the right answer to each kind of call contains."""


def requests(job: Job) -> Iterator[bytes]:
    """The job's calls, without end, except when settling: each has a key of its own."""
    make = {"check": _check, "hold": _hold, "settle": _settle, "usage": _usage, "ingest": _ingest}[job.kind]
    return make(job)


def body_of(kind: str, tag: str, number: int, customer: int) -> bytes:
    """One body as it is sent, for callers that want it without HTTP."""
    return _BODIES[kind](tag.encode()) % (CUSTOMER % customer, number)


def _hold_body(tag: bytes) -> bytes:
    return (
        b'{"customer":"%%b","feature":"chat","model":"gpt-4o-mini",%b,"hold":{"key":"%b.%%09d","ttl_seconds":86400}}'
    ) % (_ESTIMATE, tag)


def _usage_body(tag: bytes) -> bytes:
    return b'{"customer":"%%b","key":"%b.%%09d","feature":"chat","model":"gpt-4o-mini",%b}' % (tag, _USAGE)


_BODIES: dict[str, Callable[[bytes], bytes]] = {"hold": _hold_body, "usage": _usage_body}


def _check(job: Job) -> Iterator[bytes]:
    body = b'{"customer":"%%b","feature":"chat","model":"gpt-4o-mini",%b}' % _ESTIMATE
    whole = _post(job, b"/v1/check", body, len(body % (CUSTOMER % 0)))
    for customer in _customers(job):
        yield whole % customer


def _hold(job: Job) -> Iterator[bytes]:
    return _keyed(job, b"/v1/check", _hold_body(job.tag.encode()))


def _usage(job: Job) -> Iterator[bytes]:
    return _keyed(job, b"/v1/usage", _usage_body(job.tag.encode()))


def _keyed(job: Job, path: bytes, body: bytes) -> Iterator[bytes]:
    whole = _post(job, path, body, len(body % (CUSTOMER % 0, 0)))
    for customer, number in zip(_customers(job), count()):
        yield whole % (customer, number)


def _ingest(job: Job) -> Iterator[bytes]:
    event = _usage_body(job.tag.encode())
    length = (len(event % (CUSTOMER % 0, 0)) + 1) * job.batch - 1 + len(b'{"events":[]}')
    head = _post(job, b"/v1/usage", b"", length)
    events = (event % pair for pair in zip(_customers(job), count()))
    while True:
        yield head + b'{"events":[' + b",".join(islice(events, job.batch)) + b"]}"


def _settle(job: Job) -> Iterator[bytes]:
    body = b'{"key":"%b.%%09d",%b}' % (job.tag.encode(), _USAGE)
    whole = _post(job, b"/v1/holds/%b/settle", body, len(body % 0))
    for number, hold in enumerate(job.holds):
        yield whole % (hold.encode(), number)


def _customers(job: Job) -> Iterator[bytes]:
    names = [CUSTOMER % number for number in range(job.customers)]
    dice = random.Random(job.tag)
    while True:
        yield names[int(dice.random() * len(names))]


def _post(job: Job, path: bytes, body: bytes, length: int) -> bytes:
    return (
        b"POST %b HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer %b\r\ncontent-type: application/json\r\n"
        b"content-length: %d\r\n\r\n%b"
    ) % (path, job.token.encode(), length, body)
