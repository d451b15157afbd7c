from access.models.api_key import ApiKey, Scope
from access.models.cache_revision import CacheRevision

__all__ = ["ApiKey", "CacheRevision", "Scope"]
