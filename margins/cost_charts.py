"""Charts of where cost is and why it changed. Pure: whole numbers in, markup out (kernel/svg.py).

Colours are CSS classes, so a page's light and dark themes apply.
"""

from collections.abc import Callable, Sequence
from html import escape
from itertools import pairwise
from typing import Final, NamedTuple

from kernel import svg

WIDTH: Final = 560
HEIGHT: Final = 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 20, 32
_FLOOR: Final = HEIGHT - _BOTTOM


class Step(NamedTuple):
    """A column of a bridge: a level (what the cost is) or a change of it. Amounts share one unit."""

    label: str
    amount: int
    is_level: bool = False
    hint: str = ""


def waterfall(
    steps: Sequence[Step], *, chart_id: str, title: str, description: str, amount_text: Callable[[int], str] = str
) -> str:
    """Levels stand on the ground; each change hangs where the one before it ended, up (dearer) or down (cheaper)."""
    if not steps:
        parts = [svg.label(WIDTH / 2, HEIGHT / 2, "Nothing to compare", anchor="middle")]
    else:
        parts = _columns(steps, amount_text)
    return svg.chart(
        "bridge", width=WIDTH, height=HEIGHT, chart_id=chart_id, title=title, description=description, parts=parts
    )


def _columns(steps: Sequence[Step], amount_text: Callable[[int], str]) -> list[str]:
    spans, level = [], 0
    for step in steps:
        start = 0 if step.is_level else level
        level = step.amount if step.is_level else level + step.amount
        spans.append((start, level))
    low, high = min(0, *(min(span) for span in spans)), max(1, *(max(span) for span in spans))

    def y(amount: int) -> float:
        return _TOP + (_FLOOR - _TOP) * (high - amount) / (high - low)

    room = (WIDTH - _LEFT - _RIGHT) / len(steps)
    parts = [
        svg.segment("chart-grid", (_LEFT, y(high)), (WIDTH - _RIGHT, y(high))),
        svg.label(_LEFT - 8, y(high) + 4, amount_text(high), anchor="end"),
        svg.segment("chart-zero", (_LEFT, y(0)), (WIDTH - _RIGHT, y(0))),
        svg.label(_LEFT - 8, y(0) + 4, "0", anchor="end"),
    ]
    for index, (step, (start, end)) in enumerate(zip(steps, spans, strict=True)):
        x = _LEFT + index * room
        name = "chart-level" if step.is_level else "chart-dearer" if step.amount > 0 else "chart-cheaper"
        top, bottom = sorted((y(start), y(end)))
        parts += [
            f"<g>{svg.hint(step.hint or step.label)}",
            svg.rect("chart-hover", x, _TOP, room, _FLOOR - _TOP),
            # A change too small to see is still drawn as a line.
            svg.rect(name, x + room * 0.15, top, room * 0.7, max(bottom - top, 1.0)),
            svg.label(x + room / 2, HEIGHT - 12, step.label, anchor="middle"),
            "</g>",
        ]
    joints = [(_LEFT + index * room, y(end)) for index, (_, end) in enumerate(spans)]
    parts += [
        svg.segment("chart-joint", (x1 + room * 0.85, y1), (x2 + room * 0.15, y1))
        for (x1, y1), (x2, _) in pairwise(joints)
    ]
    return parts


def heavy_curve(
    points: Sequence[tuple[int, int]],
    marks: Sequence[tuple[int, int, str]],
    *,
    chart_id: str,
    title: str,
    description: str,
) -> str:
    """The share of cost held by the heaviest share of people. `marks` are (people, cost, text) to point out."""
    people, cost = points[-1] if points else (0, 0)
    if not people or not cost:
        parts = [svg.label(WIDTH / 2, HEIGHT / 2, "No cost to spread", anchor="middle")]
        return svg.chart(
            "curve", width=WIDTH, height=HEIGHT, chart_id=chart_id, title=title, description=description, parts=parts
        )
    wide, high = WIDTH - _LEFT - _RIGHT, _FLOOR - _TOP

    def at(some: int, held: int) -> svg.Point:
        return _LEFT + wide * some / people, _FLOOR - high * held / cost

    line = [at(*point) for point in points]
    parts = []
    for tick in (0, 50, 100):
        x, y = _LEFT + wide * tick / 100, _FLOOR - high * tick / 100
        parts += [
            svg.segment("chart-zero" if tick == 0 else "chart-grid", (_LEFT, y), (WIDTH - _RIGHT, y)),
            svg.label(_LEFT - 8, y + 4, f"{tick} %", anchor="end"),
            svg.label(x, HEIGHT - 12, f"{tick} %", anchor={0: "start", 50: "middle", 100: "end"}[tick]),
        ]
    parts += [
        svg.segment("chart-even", at(0, 0), at(people, cost)),
        svg.area(line, _FLOOR, "chart-held"),
        svg.line(line, "chart-margin"),
    ]
    for some, held, text in marks:
        x, y = at(some, held)
        parts += [
            f'<g>{svg.hint(text)}<circle class="chart-mark" cx="{svg.number(x)}" cy="{svg.number(y)}" r="4"/></g>',
        ]
    return svg.chart(
        "curve", width=WIDTH, height=HEIGHT, chart_id=chart_id, title=title, description=description, parts=parts
    )


def share_bar(part: int, whole: int, *, label: str) -> str:
    """A part of a whole as a bar, small enough for a table cell."""
    width, height = 96, 8
    share = min(1.0, max(0.0, part / whole)) if whole > 0 else 0.0
    head = f'<svg class="share" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">'
    bars = svg.rect("share-whole", 0, 0, width, height), svg.rect("share-part", 0, 0, width * share, height)
    return "".join([head, *bars, "</svg>"])
