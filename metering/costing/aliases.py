"""Provider and model names as they arrive, in the words of the catalogue (genai-prices)."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from genai_prices.data_snapshot import find_provider_by_id
from genai_prices.types import ModelInfo, Provider

PROVIDERS: Final = {
    "azure_openai": "azure",
    "azure-openai": "azure",
    "azure_ai": "azure",
    "foundry": "azure",
    "aws.bedrock": "aws",
    "az.ai.openai": "azure",
    "az.ai.inference": "azure",
    "gcp.gemini": "google",
    "gcp.vertex_ai": "google",
    "grok": "x-ai",
    "kimi": "moonshotai",
    "togetherai": "together",
    "fireworks_ai": "fireworks",
    "mistral_ai": "mistral",
}
"""Spellings genai-prices' own matching gets wrong or does not know (OpenTelemetry's provider names among them)."""

GATEWAYS: Final = frozenset({"litellm", "portkey", "helicone", "vercel", "pydantic-ai-gateway", "unknown"})
"""Names that say who forwarded the call, not who priced it: read as no provider at all."""

FIRST_PARTIES: Final = ("openai", "anthropic", "google", "mistral", "deepseek", "cohere", "x-ai", "voyageai")
"""Asked in this order for a model nobody's name was given with and no pattern claims (text-embedding-3-small)."""

_BEDROCK: Final = re.compile(
    r"^(?:arn:aws[^:]*:bedrock:|(?:us|us-gov|eu|apac|jp|au|in|ca|global)\.[a-z0-9]+\.|"
    r"(?:amazon|anthropic|meta|mistral|cohere|ai21|deepseek|qwen|openai|writer|nvidia|google|moonshotai|zai)\.[a-z])"
)
_VERSIONS: Final = re.compile(r"[-@](?:20\d{6}|20\d\d-\d\d-\d\d|latest|default)$")
_FOLDERS: Final = ("models/", "publishers/google/models/", "publishers/anthropic/models/", "bedrock/", "vertex_ai/")
REGION_PREFIX: Final = re.compile(r"^(us-gov|us|eu|apac|jp|au|in|ca|global)\.")


class Catalogued(NamedTuple):
    """Where the catalogue lists a model: who serves it, and whose price list it is found in.

    The two differ where a cloud sells a maker's models at the maker's prices (Azure, Vertex).
    """

    provider: str
    maker: str
    model: ModelInfo


def provider_key(name: str | None) -> str | None:
    """A provider's name as it is compared everywhere: lower case, known spellings resolved; None for a gateway's."""
    if name is None or not name.strip():
        return None
    key = name.strip().lower()
    if key in GATEWAYS:
        return None
    return PROVIDERS.get(key, key)


def find(providers: list[Provider], provider: str | None, model: str) -> Catalogued | None:
    """Look a model up, at the given provider or at the one its id points to. None where nobody lists it."""
    names = list(dict.fromkeys(spellings(model.strip(), provider)))
    for candidate, tried in _candidates(providers, provider, names):
        for name in tried:
            found = candidate.find_model(name, all_providers=providers)
            if found is not None:
                return Catalogued(candidate.id, _maker(providers, candidate, found), found)
    return None


def spellings(model: str, provider: str | None) -> Iterator[str]:
    """The id as reported, then with the folders, provider prefix and date around it taken off."""
    yield model
    bare = model.rsplit("/", 1)[-1] if model.startswith("arn:") else model
    for folder in _FOLDERS:
        bare = bare.removeprefix(folder)
    if provider is not None:
        bare = bare.removeprefix(f"{provider}/")
    yield bare
    # Last: a dated snapshot the catalogue does not list costs what its family does.
    yield _VERSIONS.sub("", bare)


def _candidates(
    providers: list[Provider], provider: str | None, names: list[str]
) -> Iterator[tuple[Provider, list[str]]]:
    """Who to ask, best first, and for which spellings."""
    if provider is not None:
        named = find_provider_by_id(providers, provider)
        if named is not None:
            yield named, names
        return
    if _BEDROCK.match(names[0].lower()):
        yield _by_id(providers, "aws"), names
        return
    if "/" in names[0]:
        # A LiteLLM id names its provider before the slash; an OpenRouter id names the model's maker.
        prefix, _, rest = names[0].partition("/")
        named = find_provider_by_id(providers, PROVIDERS.get(prefix.lower(), prefix))
        if named is not None:
            yield named, [rest, *spellings(rest, None)]
        yield _by_id(providers, "openrouter"), names
    for claiming in providers:
        if claiming.model_match is not None and any(claiming.model_match.is_match(name) for name in names):
            yield claiming, names
    for first_party in FIRST_PARTIES:
        yield _by_id(providers, first_party), names


def _maker(providers: list[Provider], server: Provider, model: ModelInfo) -> str:
    lists = (server, *providers)
    return next(one.id for one in lists if any(model is listed for listed in one.models))


def _by_id(providers: list[Provider], provider: str) -> Provider:
    return next(one for one in providers if one.id == provider)
