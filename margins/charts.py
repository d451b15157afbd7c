"""The margin pages' charts. Pure: whole numbers in, markup out (kernel/svg.py).

Colours are CSS classes, so a page's light and dark themes apply. Amounts are integers of any one
unit; they become floats only as coordinates. What has no value is a gap, never a zero.
"""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Final, NamedTuple

from kernel import svg

WIDTH: Final = 960
LEFT: Final = 56
RIGHT: Final = 8

_RATIO_TOP, _RATIO_HEIGHT = 16, 96
_BARS_TOP, _BARS_HEIGHT = 144, 120
HEIGHT: Final = 292

LOWEST_RATIO: Final = -1.0
"""A day that lost more than it earned is drawn at −100 %: one bad day must not flatten the rest."""


class TrendDay(NamedTuple):
    """One day of the trend. `label` is what the axis shows, `hint` what pointing at it says; amounts share one unit."""

    label: str
    revenue: int
    cogs: int
    hint: str = ""


def trend(
    days: Sequence[TrendDay], *, chart_id: str, title: str, description: str, amount_text: Callable[[int], str] = str
) -> str:
    """Margin per cent as a line over revenue and COGS as bars, day by day. `amount_text` words the highest bar.

    The class is not "chart": the admin's script takes every element of that class for a Chart.js canvas.
    """
    if days:
        parts = [*_ratio_panel(days), *_bar_panel(days, amount_text), *_day_labels(days)]
    else:
        parts = [svg.label(WIDTH / 2, HEIGHT / 2, "No days to show", anchor="middle")]
    return svg.chart(
        "trend", width=WIDTH, height=HEIGHT, chart_id=chart_id, title=title, description=description, parts=parts
    )


def sparkline(values: Sequence[int | None], *, label: str) -> str:
    """A line of a few values around zero, small enough for a table cell."""
    width, height, edge = 96, 24, 2
    known = [value for value in values if value is not None]
    head = f'<svg class="sparkline" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">'
    if not known:
        return f"{head}</svg>"
    low, high = min(0, *known), max(0, *known)
    scale = (height - 2 * edge) / ((high - low) or 1)

    def y(value: int) -> float:
        return height - edge - (value - low) * scale

    zero = svg.segment("sparkline-zero", (0, y(0)), (width, y(0)))
    step = (width - 2 * edge) / max(1, len(values) - 1)
    points = [None if value is None else (edge + index * step, y(value)) for index, value in enumerate(values)]
    tone = "sparkline-line sparkline-loss" if sum(known) < 0 else "sparkline-line"
    return f"{head}{zero}{svg.line(points, tone)}</svg>"


def _ratio_panel(days: Sequence[TrendDay]) -> list[str]:
    ratios = [(day.revenue - day.cogs) / day.revenue if day.revenue > 0 else None for day in days]
    low = max(LOWEST_RATIO, min([0.0, *(ratio for ratio in ratios if ratio is not None)]))
    low = LOWEST_RATIO if low < -0.5 else -0.5 if low < 0 else 0.0

    def y(ratio: float) -> float:
        return _RATIO_TOP + _RATIO_HEIGHT * (1.0 - min(1.0, max(ratio, low))) / (1.0 - low)

    ticks = [low, 0.0, 0.5, 1.0] if low else [0.0, 0.5, 1.0]
    parts = [_gridline(y(tick), f"{round(tick * 100)} %".replace("-", "−"), zero=tick == 0) for tick in ticks]
    centres = _centres(len(days))
    points = [None if ratio is None else (x, y(ratio)) for x, ratio in zip(centres, ratios, strict=True)]
    return [*parts, svg.line(points, "chart-margin")]


def _bar_panel(days: Sequence[TrendDay], amount_text: Callable[[int], str]) -> list[str]:
    top = max([1, *(max(day.revenue, day.cogs) for day in days)])
    bottom = _BARS_TOP + _BARS_HEIGHT
    room = (WIDTH - LEFT - RIGHT) / len(days)

    def bar(name: str, x: float, width: float, value: int) -> str:
        height = _BARS_HEIGHT * max(0, value) / top
        return svg.rect(name, x, bottom - height, width, height)

    parts = [_gridline(_BARS_TOP, amount_text(top), zero=False), _gridline(bottom, "0", zero=True)]
    for index, day in enumerate(days):
        x = LEFT + index * room
        parts += [
            f"<g><title>{escape(day.hint or day.label)}</title>",
            svg.rect("chart-hover", x, _RATIO_TOP, room, bottom - _RATIO_TOP),
            # The cost stands inside the revenue; where it rises above it, the day lost money.
            bar("chart-revenue", x + room * 0.1, room * 0.8, day.revenue),
            bar("chart-cogs", x + room * 0.3, room * 0.4, day.cogs),
            "</g>",
        ]
    return parts


def _day_labels(days: Sequence[TrendDay]) -> Iterable[str]:
    every = max(1, -(-len(days) // 10))
    for index, x in enumerate(_centres(len(days))):
        if index % every == 0:
            yield svg.label(x, HEIGHT - 8, days[index].label, anchor="middle")


def _centres(count: int) -> list[float]:
    room = (WIDTH - LEFT - RIGHT) / count
    return [LEFT + (index + 0.5) * room for index in range(count)]


def _gridline(y: float, label: str, *, zero: bool) -> str:
    name = "chart-zero" if zero else "chart-grid"
    return svg.segment(name, (LEFT, y), (WIDTH - RIGHT, y)) + svg.label(LEFT - 8, y + 4, label, anchor="end")
