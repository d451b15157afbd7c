"""Bodies that work as they stand on the demo company, and their answers: what the API browsers show and send.

A schema alone shows every field at once, which no call sends. Keys repeat, so sending one again replays its answer.
"""

from typing import Any, Final

_OPENAI_USAGE: Final = {
    "model": "gpt-5-2025-08-07",
    "usage": {
        "prompt_tokens": 1000,
        "completion_tokens": 100,
        "total_tokens": 1100,
        "prompt_tokens_details": {"cached_tokens": 800},
    },
}
_ANTHROPIC_USAGE: Final = {
    "model": "claude-sonnet-5-5",
    "usage": {"input_tokens": 200, "cache_read_input_tokens": 4000, "output_tokens": 350},
}

EXAMPLES: Final[dict[str, dict[str, dict[str, Any]]]] = {
    "/v1/check": {
        "Ask, and hold the credits": {
            "customer": "harbour-legal",
            "feature": "chat",
            "model": "gpt-5",
            "user": "ada",
            "estimate": {"input_tokens": 1200, "max_output_tokens": 400},
            "hold": {"key": "chat-1042", "ttl_seconds": 120},
        },
        "Only ask": {"customer": "harbour-legal", "feature": "chat", "model": "gpt-5"},
        "A dearer model than the plan allows": {
            "customer": "harbour-legal",
            "feature": "chat",
            "model": "gpt-6-astra",
            "estimate": {"input_tokens": 1200, "max_output_tokens": 400},
        },
    },
    "/v1/usage": {
        "One action, as OpenAI reported it": {
            "key": "chat-1043",
            "customer": "harbour-legal",
            "feature": "chat",
            "user": "ada",
            "usage": _OPENAI_USAGE,
        },
        "One action, priced by the caller": {
            "key": "chat-1044",
            "customer": "harbour-legal",
            "feature": "chat",
            "model": "gpt-5",
            "credits": "2.5",
        },
        "Many actions": {
            "events": [
                {
                    "key": "chat-1045",
                    "customer": "harbour-legal",
                    "feature": "chat",
                    "user": "ada",
                    "usage": _OPENAI_USAGE,
                },
                {
                    "key": "summary-88",
                    "customer": "northwind-tools",
                    "feature": "summarise-documents",
                    "usage": _ANTHROPIC_USAGE,
                    "tags": {"project": "onboarding"},
                },
            ]
        },
    },
    "/v1/holds/{id}/settle": {
        "What the call used": {"usage": _OPENAI_USAGE},
        "A part, with more to come": {"key": "chat-1042-part-1", "usage": _OPENAI_USAGE, "final": False},
    },
    "/v1/leases": {
        "Twenty credits for ten minutes": {
            "key": "worker-7",
            "customer": "harbour-legal",
            "feature": "chat",
            "credits": "20",
            "ttl_seconds": 600,
        },
    },
    "/v1/leases/{id}/extend": {"More of both": {"credits": "10", "ttl_seconds": 600}},
    "/v1/leases/{id}/settle": {
        "Two actions": {
            "events": [
                {"key": "worker-7-1", "usage": _OPENAI_USAGE},
                {"key": "worker-7-2", "usage": _ANTHROPIC_USAGE, "tags": {"project": "onboarding"}},
            ]
        },
    },
    "/v1/runs": {
        "An agent with a budget": {
            "key": "refactor-31",
            "customer": "northwind-tools",
            "user": "grace",
            "budget": {"steps": 40, "credits": "150", "cost_usd": "2.50", "depth": 2, "seconds": 1800},
        },
        "An agent it starts": {"key": "refactor-31-tests", "customer": "northwind-tools", "parent": "refactor-31"},
    },
}
"""Path → title → request body. The title is what a browser of the document offers to choose."""

_BALANCE: Final = {"posted": "3157.964", "held": "2.24", "available": "3155.724", "debt": "0", "overage": "0"}

ANSWERS: Final[dict[tuple[str, int], dict[str, dict[str, Any]]]] = {
    ("/v1/check", 200): {
        "Allowed, and held": {
            "decision_id": "decision_b_606be9a38efb6eab088fe3b2cab1eef9",
            "decision": "allow",
            "reason": "entitled",
            "model": "gpt-5",
            "credits": "2.24",
            "limiting": None,
            "hold": {
                "id": "hold_b_606be9a38efb6eab088fe3b2cab1eef9",
                "credits": "2.24",
                "expires_at": "2026-11-24T09:32:00Z",
            },
            "balance": _BALANCE,
            "warnings": [],
            "remedy": None,
        },
        "Denied, with what would help": {
            "decision_id": "decision_b_01a20a6c034f71aba7d3296f959f720f",
            "decision": "deny",
            "reason": "model_tier_not_allowed",
            "model": "gpt-6-astra",
            "credits": "8",
            "limiting": None,
            "hold": None,
            "balance": _BALANCE,
            "warnings": [],
            "remedy": {"upgrade_to": "flat"},
        },
    },
    ("/v1/usage", 201): {
        "Recorded": {
            "key": "chat-1043",
            "status": "accepted",
            "credits": "0.546",
            "cost_usd": "0.00135",
            "model": "gpt-5",
            "balance": _BALANCE,
        },
    },
}
"""(Path, status) → title → answer, as the demo company gets it."""
