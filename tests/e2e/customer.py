"""Being a customer of the demo company: the product's backend asks for a link, and a browser follows it."""

import json
import urllib.request
from typing import Any

from playwright.sync_api import Page

from tests.e2e.service import Service


def api(service: Service, path: str, body: dict[str, Any] | None = None) -> Any:
    """One call as the product's backend makes it."""
    request = urllib.request.Request(
        f"{service.url}/v1/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {service.api_key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def enter(page: Page, service: Service, customer: str) -> str:
    """Follow a fresh link into a customer's pages. Returns the link."""
    link: str = api(service, f"customers/{customer}/portal-sessions", {})["url"]
    page.goto(link)
    page.wait_for_url(f"{service.url}/portal/")
    return link
