"""Answers of the demo company, shortened: what the API browsers show."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

_DAYS: Final = {"from": "2026-11-01", "to": "2026-12-01", "as_of": "2026-11-23T12:00:00Z"}


def example(name: str, **members: Any) -> list[OpenApiExample]:
    """One answer, with the days it is about."""
    return [OpenApiExample(name, value={**_DAYS, **members}, response_only=True)]


PEOPLE: Final = example(
    "One user in twenty holds two fifths of the cost",
    assumption="A user's revenue is its part of its customer's …",
    unpriced_calls=31,
    uncovered_users=12,
    users={
        "people": 200,
        "cost_usd": "1000",
        "median_usd": "3.158",
        "p95_usd": "3.158",
        "tops": [{"percent": 5, "people": 10, "cost_usd": "400", "share": "0.4"}],
    },
    customers={"people": 40, "cost_usd": "1000", "median_usd": "12", "p95_usd": "140", "tops": []},
    p95_user={
        "customer": "hungry-otter-games",
        "user": "user-2",
        "calls": 512,
        "unpriced_calls": 0,
        "cost_usd": "140.25",
        "revenue": "26.333333333333333",
        "covered": False,
    },
    heaviest=[],
)

COHORTS: Final = example(
    "One cohort's second month",
    data=[
        {
            "month": "2026-10-01",
            "customers": 35,
            "cost_usd": "819.77",
            "months": [
                {
                    "month": "2026-11-01",
                    "age": 1,
                    "active": 35,
                    "calls": 30466,
                    "unpriced_calls": 26,
                    "cost_usd": "654.465203880",
                    "cost_per_active_usd": "18.699005825",
                }
            ],
        }
    ],
)

BRIDGE: Final = example(
    "More calls, dearer models, lower prices",
    assumption="Work is tokens of every kind …",
    before={"from": "2026-10-02", "to": "2026-11-01", "calls": 200, "unpriced_calls": 0, "cost_usd": "2.5"},
    after={"from": "2026-11-01", "to": "2026-12-01", "calls": 250, "unpriced_calls": 0, "cost_usd": "2.81"},
    difference_usd="0.31",
    effects={"volume_usd": "0.625", "mix_usd": "-0.075", "size_usd": "0.48", "price_usd": "-0.72"},
    data=[
        {
            "model": "claude-opus-5-5",
            "calls_before": 100,
            "calls_after": 120,
            "cost_before_usd": "2",
            "cost_after_usd": "2.16",
            "effects": {"volume_usd": "0.5", "mix_usd": "-0.1", "size_usd": "0.48", "price_usd": "-0.72"},
        }
    ],
)

FEATURES: Final = example(
    "A feature that pays",
    benchmarks={"ai_native": "0.52", "classic_low": "0.75", "classic_high": "0.85"},
    data=[
        {
            "feature": "code-agent",
            "type": "ai",
            "currency": "USD",
            "margin_ratio": "0.38",
            "standing": "below_ai_native",
            "gap_points": "-14.0",
        }
    ],
    payback=[
        {
            "feature": "code-agent",
            "kind": "churn",
            "assumption": "Exit survey, October: 5 of 100 would have left.",
            "currency": "USD",
            "users": 50,
            "cost": "18",
            "benefit": "25",
            "net": "7",
            "benefit_per_cost": "1.388889",
            "pays": True,
            "investment": "7000",
            "months_to_pay_back": "20",
        }
    ],
)

RUNS: Final = example(
    "What depth four costs",
    levels=[
        {"depth": 1, "runs": 1, "steps": 2, "cost_usd": "0.08", "upto_usd": "0.08"},
        {"depth": 2, "runs": 2, "steps": 4, "cost_usd": "0.16", "upto_usd": "0.24"},
        {"depth": 3, "runs": 4, "steps": 8, "cost_usd": "0.32", "upto_usd": "0.56"},
        {"depth": 4, "runs": 8, "steps": 16, "cost_usd": "0.64", "upto_usd": "1.2"},
    ],
    trees=[],
)

SAVINGS: Final = example(
    "A batch that nobody would have missed",
    calls=40000,
    unpriced_calls=31,
    cost_usd="821.06655245",
    saved_usd="441.674733946",
    would_save_usd="176.05433244",
    saved=[
        {
            "means": "caching",
            "feature": "code-agent",
            "action": "step",
            "model": "gpt-6-astra",
            "instead_of": None,
            "calls": 1468,
            "saved_usd": "51.784362",
            "assumption": "Without a prompt cache, every token would have been read at the price of fresh input.",
            "events": "/admin/entitlements/usageline/?feature__id__exact=3&action=step&model=gpt-6-astra",
        }
    ],
    advice=[
        {
            "means": "batch",
            "feature": "summarise-documents",
            "action": "summarise",
            "model": None,
            "to_model": None,
            "calls": 3505,
            "cost_usd": "35.2649347",
            "saves_alone_usd": "17.63246735",
            "saves_usd": "9.804419531",
            "assumption": "nobody waits for the others either: 40.4 % of these calls run in batches already",
            "events": "/admin/entitlements/usageline/?feature__id__exact=2&action=summarise",
        }
    ],
    caches=[
        {
            "feature": "code-agent",
            "action": "step",
            "model": "claude-opus-5-5",
            "calls": 3378,
            "write_premium": "0.25",
            "read_discount": "0.9",
            "break_even_reads_per_write": "0.277778",
            "reads_per_write": "5",
            "read_share": "0.28345",
            "saved_usd": "43.6323638",
            "verdict": "pays",
        }
    ],
    tasks=[
        {
            "feature": "chat",
            "action": "answer",
            "calls": 18646,
            "memoised_share": "0.029551",
            "batch_share": "0",
            "cheaper_share": "0.441264",
            "by_tier": {"economy": 4368, "standard": 3603, "premium": 10093},
            "small_model": "gpt-5-mini",
            "large_model": "claude-sonnet-5-5",
            "break_even_failures": "0.83493",
        }
    ],
    build_or_buy={
        "server": {"usd_per_month": 12000, "tokens_per_second": 5000, "busy_percent": 40},
        "models": [
            {
                "model": "claude-opus-5-5",
                "tokens_per_month": 65314250,
                "usd_per_month": "267.389572064",
                "break_even_tokens_per_month": 2931195088,
                "verdict": "buy",
            }
        ],
    },
)

CHECKLIST: Final = example(
    "What is left to do",
    met=9,
    asked=12,
    data=[
        {
            "key": "run_caps",
            "question": "Is every agent's run capped?",
            "status": "no",
            "evidence": "code-agent makes runs, and 1 plan sells it without a limit per run: pay-as-you-go.",
            "link": "/admin/plans/planversion/4/change/",
        }
    ],
)
