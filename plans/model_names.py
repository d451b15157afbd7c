"""Which family a reported model id belongs to. Pure.

Providers, gateways and clouds dress the same model in many ids: dated, versioned, prefixed with a
vendor or a region. In this order, the first answer wins:

1. the id itself (or ``provider/id``) is a key or an alias;
2. so is the id without its prefixes (``openai/…``, ``models/…``, ``us.anthropic.…``);
3. so is what is left without suffixes that do not change what is sold (a date, ``-latest``, ``-v1:0`` …);
4. the longest prefix rule that matches, then the longest regex.

Case never matters. A wrong family means a wrong price, an unknown one is flagged and priced later:
so a prefix ends at a boundary and never reaches across a version number, a parameter count or a
word that names another variant. ``gpt-4o`` matches ``gpt-4o-acme`` but not ``gpt-4o-mini``,
``gpt-4.1`` or ``gpt-4o-audio-preview``; where that is meant, a regex says so.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

import msgspec

LONGEST_ID: Final = 256
"""Above this an id is not a model's name, and not worth a regular expression's time."""

REMEMBERED: Final = 4096
"""Answers kept per catalogue; callers can invent ids, so this is bounded."""


class MatchRule(msgspec.Struct, frozen=True, gc=False):
    """`kind` is prefix or regex."""

    kind: str
    pattern: str


class ModelName(msgspec.Struct, frozen=True):
    """A family: its key, other exact ids, and the rules that map further ids to it."""

    key: str
    aliases: tuple[str, ...] = ()
    matches: tuple[MatchRule, ...] = ()


# Bedrock: an optional region, then the vendor: us.anthropic.claude-…, openai.gpt-oss-…. A letter must
# follow, so that the dot of a version (qwen2.5-…) is never taken for one.
_VENDOR = re.compile(r"(?:[a-z]{2,6}(?:-gov)?\.)?[a-z][a-z0-9]*\.(?=[a-z])")

_SUFFIXES = (
    re.compile(r"[-@]\d{4}-?\d{2}-?\d{2}$"),  # -2024-08-06, -20241022, @20250929
    re.compile(r"[-@](?:latest|default)$"),
    re.compile(r"-(?:preview|exp)(?:-\d{2}-\d{2,4}|-\d{4})?$"),  # -preview-05-06, -preview-09-2025, -exp-0827
    re.compile(r"-00\d$"),  # Google's revisions
    re.compile(r"-(?:v\d+|1):\d+(?::\w+)?$"),  # Bedrock's: -v1:0, -v2:0:200k, -1:0
    re.compile(r":(?:beta|exacto|extended|floor|free|nitro|online|thinking)$"),  # OpenRouter's routes
)
# Bedrock leaves the colon out of newer ids. Elsewhere -v3 is the model's own version.
_VENDOR_SUFFIXES = (*_SUFFIXES, re.compile(r"-v1$"))

_BOUNDARY: Final = "-@:."
_ANOTHER_VERSION = re.compile(r"[-.]v?\d{1,2}(?!\d)")
_WORDS = re.compile(r"[a-z0-9.]+")
_PARAMETERS = re.compile(r"(?:\d+x)?\d+(?:\.\d+)?[bm]")
_VARIANT_WORDS: Final = """
    air astra audio code codex coder cyber deep distill embed embedding fast flash flashx guard haiku high highspeed
    image large lite live luna max medium micro mini moderation nano ocr omni opus plus pro realtime reasoning rerank
    research safeguard search small sol sonnet terra thinking tiny transcribe translate tts turbo ultra vision vl voice
    whisper
"""
_VARIANTS = frozenset(_VARIANT_WORDS.split())


class ModelNames:
    """The families of a catalogue, indexed. `resolve` answers a family's key, or None.

    A regex that does not compile matches nothing: the forms and the catalogue file refuse it
    earlier, and a bad row must not stop the gate.
    """

    def __init__(self, families: Iterable[ModelName]) -> None:
        self._exact: dict[str, str] = {}
        self._prefixes: dict[str, str] = {}
        patterns: list[tuple[str, str]] = []
        for family in families:
            for alias in family.aliases:
                self._exact.setdefault(alias.lower(), family.key)
            for rule in family.matches:
                if rule.kind == "prefix":
                    self._prefixes[rule.pattern.lower()] = family.key
                else:
                    patterns.append((rule.pattern, family.key))
            # Last, over any alias: a family's own key is never someone else's alias.
            self._exact[family.key.lower()] = family.key
        patterns.sort(key=lambda rule: (-len(rule[0]), rule[0]))
        self._regexes = [(compiled, key) for text, key in patterns if (compiled := compiled_regex(text))]
        self._prefix_lengths = sorted({len(prefix) for prefix in self._prefixes}, reverse=True)
        self.resolve = lru_cache(maxsize=REMEMBERED)(self._resolve)

    def _resolve(self, reported: str, provider: str = "") -> str | None:
        reported = reported.strip().lower()
        if not reported or len(reported) > LONGEST_ID:
            return None
        ids = list(_without_prefixes(reported))
        dressed = ([f"{provider.strip().lower()}/{reported}"] if provider else []) + [name for name, _ in ids]
        bare = [shorter for name, vendor in ids for shorter in _without_suffixes(name, vendor=vendor)]
        for name in dressed + bare:
            if name in self._exact:
                return self._exact[name]
        names = [name for name, _ in ids]
        return self._by_prefix(names) or self._by_regex(names)

    def _by_prefix(self, names: list[str]) -> str | None:
        for length in self._prefix_lengths:
            for name in names:
                key = self._prefixes.get(name[:length])
                if key is not None and len(name) >= length and same_model(name[:length], name[length:]):
                    return key
        return None

    def _by_regex(self, names: list[str]) -> str | None:
        for pattern, key in self._regexes:
            if any(pattern.fullmatch(name) for name in names):
                return key
        return None


def clashes(families: Iterable[ModelName]) -> list[str]:
    """Ids and rules that two families claim, in words. Resolution would pick one silently."""
    claimed: dict[str, str] = {}
    found: list[str] = []
    for family in sorted(families, key=lambda family: family.key):
        claims = {f"the id {name.lower()!r}" for name in (family.key, *family.aliases)}
        claims |= {f"the {rule.kind} rule {rule.pattern.lower()!r}" for rule in family.matches}
        for claim in sorted(claims):
            owner = claimed.setdefault(claim, family.key)
            if owner != family.key:
                found.append(f"{claim} belongs to {owner} and to {family.key}")
    return found


def compiled_regex(pattern: str) -> "re.Pattern[str] | None":
    """The pattern as rules use it (whole id, case ignored), or None when it is not a regular expression."""
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error:
        return None


def same_model(prefix: str, rest: str) -> bool:
    """Whether an id that goes on with `rest` after a rule's prefix still names the same model."""
    if not rest:
        return True
    if rest[0] not in _BOUNDARY and prefix[-1] not in _BOUNDARY:
        return False
    if _ANOTHER_VERSION.match(rest if rest[0] in _BOUNDARY else f"-{rest}"):
        return False
    return not any(word in _VARIANTS or _PARAMETERS.fullmatch(word) for word in _WORDS.findall(rest))


def _without_prefixes(name: str) -> Iterator[tuple[str, bool]]:
    """The id, then with less and less in front of it, and whether a cloud's vendor prefix was taken off."""
    yield name, False
    while "/" in name:
        name = name.partition("/")[2]
        if name:
            yield name, False
    vendor = _VENDOR.match(name)
    if vendor:
        yield name[vendor.end() :], True


def _without_suffixes(name: str, *, vendor: bool) -> Iterator[str]:
    """The id with one suffix less at a time, from the end."""
    suffixes = _VENDOR_SUFFIXES if vendor else _SUFFIXES
    while True:
        shorter = next((name[: found.start()] for suffix in suffixes if (found := suffix.search(name))), "")
        if not shorter:
            return
        name = shorter
        yield name
