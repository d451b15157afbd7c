"""What customers do with the product: the kinds of calls, and whose mixture of them is whose."""

from typing import Final

import msgspec

from demo import distributions as sizes
from demo.distributions import Quantiles


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of call. Shares are of 1.

    `cached` is the share of input tokens read from the provider's prompt cache, `thought` how many
    reasoning tokens come with each token of the answer. `steps` > 1 is how long a run of an agent typically is.
    """

    feature: str
    action: str
    input: Quantiles
    output: Quantiles
    cached: float = 0.0
    thought: float = 0.0
    batch: float = 0.0
    memoised: float = 0.0
    steps: int = 1
    image_input: int = 0
    draws: bool = False


CHAT: Final = Work(
    feature="chat",
    action="answer",
    input=sizes.CONVERSATION_INPUT,
    output=sizes.CONVERSATION_OUTPUT,
    cached=0.2,
    memoised=0.03,
)
THINK: Final = Work(
    feature="chat",
    action="think",
    input=sizes.CONVERSATION_INPUT,
    output=sizes.CONVERSATION_OUTPUT,
    cached=0.2,
    thought=4.0,
)
RESEARCH: Final = Work(
    feature="chat",
    action="research",
    input=sizes.LONG_INPUT,
    output=sizes.LONG_OUTPUT,
    cached=sizes.LONG_CACHED_SHARE,
    thought=2.0,
)
DOCUMENT: Final = Work(
    feature="summarise-documents",
    action="summarise",
    input=sizes.LONG_INPUT,
    output=sizes.CONVERSATION_OUTPUT,
    batch=0.4,
    memoised=0.02,
)
COMPLETE: Final = Work(
    feature="code-agent", action="complete", input=sizes.COMPLETION_INPUT, output=sizes.COMPLETION_OUTPUT, cached=0.4
)
AGENT: Final = Work(
    feature="code-agent",
    action="step",
    input=sizes.LONG_INPUT,
    output=sizes.LONG_OUTPUT,
    cached=sizes.LONG_CACHED_SHARE,
    thought=0.6,
    steps=9,
)
LOOP: Final = msgspec.structs.replace(AGENT, thought=2.0, steps=120)
"""An agent that does not notice that it is not getting anywhere."""
SCREENSHOT: Final = Work(
    feature="read-images",
    action="read",
    input=sizes.CONVERSATION_INPUT,
    output=sizes.CONVERSATION_OUTPUT,
    image_input=1105,
)
DRAWING: Final = Work(
    feature="draw-images",
    action="draw",
    input=((0, 8), (50, 60), (90, 180), (100, 900)),
    # Tokens of a square picture in low, medium and high quality, as OpenAI counts them.
    output=((0, 272), (40, 272), (41, 1056), (90, 1056), (91, 4160), (100, 4160)),
    draws=True,
)

Model = tuple[str, str]
"""A provider and a model id as its responses report it: dated ids and other spellings included."""

SMALL: Final[tuple[Model, ...]] = (
    ("openai", "gpt-5-mini-2025-08-07"),
    ("openai", "gpt-6-luna"),
    ("google", "gemini-2.5-flash"),
    ("anthropic", "claude-haiku-5-5"),
)
MEDIUM: Final[tuple[Model, ...]] = (
    ("openai", "gpt-6.1-terra"),
    ("anthropic", "claude-haiku-4-5-20251001"),
    ("google", "gemini-3.8-flash"),
)
LARGE: Final[tuple[Model, ...]] = (
    ("anthropic", "claude-sonnet-5-5"),
    ("openai", "gpt-5-2025-08-07"),
    ("google", "gemini-2.5-pro"),
)
THINKING: Final[tuple[Model, ...]] = (("anthropic", "claude-opus-5-5"), ("openai", "o3-2025-04-16"))
DEAREST: Final[tuple[Model, ...]] = (("anthropic", "claude-opus-5-5"), ("openai", "gpt-6-astra"))
PICTURES: Final[tuple[Model, ...]] = (("openai", "gpt-image-2"),)
UNHEARD_OF: Final[tuple[Model, ...]] = (("cirrus", "cirrus-halo-1-preview"),)
"""A model that no price list knows: its calls are kept, and shown as unpriced until somebody prices them."""

Habit = tuple[tuple[float, Work, tuple[Model, ...]], ...]
"""(weight, kind of call, models it may go to)."""

HABITS: Final[dict[str, Habit]] = {
    "tries it": ((1, CHAT, SMALL),),
    "professional": (
        (45, CHAT, LARGE),
        (22, CHAT, MEDIUM),
        (12, CHAT, SMALL),
        (11, DOCUMENT, MEDIUM),
        (7, SCREENSHOT, LARGE),
        (3, DRAWING, PICTURES),
    ),
    "developers": ((40, COMPLETE, SMALL), (38, CHAT, LARGE), (8, AGENT, LARGE), (4, SCREENSHOT, LARGE)),
    "whole company": (
        (40, CHAT, LARGE),
        (20, THINK, THINKING),
        (20, DOCUMENT, LARGE),
        (14, AGENT, THINKING),
        (4, SCREENSHOT, LARGE),
        (2, DRAWING, PICTURES),
    ),
    "all in": (
        (30, CHAT, LARGE),
        (15, DOCUMENT, LARGE),
        (15, THINK, THINKING),
        (25, AGENT, DEAREST),
        (5, SCREENSHOT, LARGE),
    ),
    "research": (
        (50, RESEARCH, DEAREST),
        (30, CHAT, LARGE),
        (20, DOCUMENT, LARGE),
    ),
    "integration": ((55, DOCUMENT, SMALL), (35, CHAT, SMALL), (10, CHAT, MEDIUM)),
    "early adopter": ((55, DOCUMENT, SMALL), (35, CHAT, MEDIUM), (10, CHAT, UNHEARD_OF)),
    "light": ((70, CHAT, LARGE), (20, THINK, THINKING), (10, DOCUMENT, MEDIUM)),
    "runaway agents": ((10, CHAT, LARGE), (1, LOOP, DEAREST)),
}
