from portal.models.session import PortalSession

__all__ = ["PortalSession"]
