"""What a first visitor reads when the service is ready: where to look, and lines to paste into a shell."""

import json
from pathlib import Path
from typing import Any, Final

FILE: Final = "welcome.txt"
CUSTOMER: Final = "harbour-legal"
SHORT_OF_CREDITS: Final = "kestrel-legal"


def write_welcome(folder: Path, api_key: str) -> None:
    """Write the text, with ``{base_url}`` where the address goes: the port is only known when the service starts."""
    path = folder / FILE
    path.touch(mode=0o600)  # it holds the key
    path.write_text(_text(api_key))


def _text(api_key: str) -> str:
    check = {
        "customer": CUSTOMER,
        "feature": "chat",
        "model": "claude-sonnet-5-5",
        "estimate": {"input_tokens": 1200, "max_output_tokens": 400},
    }
    usage = {
        "key": "first-call",
        "customer": CUSTOMER,
        "feature": "chat",
        "user": "ada",
        # As the provider's SDK hands it over; the model is read from it.
        "usage": {
            "object": "chat.completion",
            "model": "gpt-5-2025-08-07",
            "usage": {
                "prompt_tokens": 1000,
                "completion_tokens": 100,
                "total_tokens": 1100,
                "prompt_tokens_details": {"cached_tokens": 800},
            },
        },
    }
    return f"""\
margins:  {{base_url}}/margins/
admin:    {{base_url}}/admin/
API:      {{base_url}}/docs/

May {CUSTOMER} ask Claude Sonnet something, and what would it cost?
{_post("check", api_key, check)}

It has asked GPT-5 instead: report what OpenAI said it used. (Twice is once: the key is remembered.)
{_post("usage", api_key, usage)}

What is left, and what has this customer earned us in thirty days?
{_get(f"customers/{CUSTOMER}/balance", api_key)}
{_get(f"customers/{CUSTOMER}/margin", api_key)}

{SHORT_OF_CREDITS} has run out of credits. Open its own pages by the link this answers (good once), and buy some:
{_post(f"customers/{SHORT_OF_CREDITS}/portal-sessions", api_key, {})}
"""


def _post(path: str, api_key: str, body: dict[str, Any]) -> str:
    header = "-H 'Content-Type: application/json'"
    return f"{_get(path, api_key)} {header} -d '{json.dumps(body, separators=(',', ':'))}'"


def _get(path: str, api_key: str) -> str:
    return f"curl -s {{base_url}}/v1/{path} -H 'Authorization: Bearer {api_key}'"
