"""The burn-down of a period, and bars of usage. Pure: points in, markup out (kernel/svg.py)."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from kernel import svg

LEFT: Final = 56
RIGHT: Final = 12
TOP: Final = 14
FOOT: Final = 26
"""Room for the labels under the axis."""


class Reading(NamedTuple):
    """How much was (or will be) left at an instant."""

    at: datetime
    left: int


class Size(NamedTuple):
    """A drawing is scaled to its place; one for a phone is drawn narrower so that its labels stay readable."""

    name: str
    width: int
    height: int


WIDE: Final = Size("wide", 880, 260)
NARROW: Final = Size("narrow", 360, 230)


def burn_down(
    past: Sequence[Reading],
    ahead: Sequence[Reading],
    *,
    size: Size,
    start: datetime,
    end: datetime,
    title: str,
    description: str,
    amount_text: Callable[[int], str],
    day_text: Callable[[datetime], str],
) -> str:
    """What was left as a line with its area, what will be as a dashed one, from `start` to `end`.

    Below the zero line is what is owed. Both sequences are in order of time.
    """
    low = min([0, *(reading.left for reading in (*past, *ahead))])
    high = max([1, *(reading.left for reading in (*past, *ahead))])
    scale = _Scale(size, start, end, low, high)
    parts = [scale.gridline(value, amount_text) for value in _ticks(low, high)]
    line = [scale.point(reading) for reading in past]
    parts.append(svg.area(line, scale.y(0), "chart-area"))
    parts.append(svg.line([scale.point(reading) for reading in ahead], "chart-ahead"))
    parts.append(svg.line(line, "chart-left"))
    if past:
        now = scale.x(past[-1].at)
        parts.append(svg.segment("chart-now", (now, TOP), (now, size.height - FOOT)))
    parts += scale.days(day_text)
    name = f"burn-down-{size.name}"
    return svg.chart(
        f"trend trend-{size.name}",
        width=size.width,
        height=size.height,
        chart_id=name,
        title=title,
        description=description,
        parts=parts,
    )


class Bar(NamedTuple):
    """One day of usage. `hint` is what pointing at it says."""

    label: str
    amount: int
    hint: str


def bars(days: Sequence[Bar], *, size: Size, title: str, description: str, amount_text: Callable[[int], str]) -> str:
    """Usage by day."""
    high = max([1, *(day.amount for day in days)])
    height = size.height - TOP - FOOT
    room = (size.width - LEFT - RIGHT) / max(1, len(days))
    bottom = size.height - FOOT
    parts: list[str] = []
    for value in _ticks(0, high):
        y = bottom - height * value / high
        parts.append(_gridline(size, y, amount_text(value), zero=value == 0))
    every = max(1, -(-len(days) // (8 if size is WIDE else 4)))
    for index, day in enumerate(days):
        x, tall = LEFT + index * room, height * max(0, day.amount) / high
        parts.append(f"<g>{svg.hint(day.hint)}{svg.rect('chart-hover', x, TOP, room, height)}")
        parts.append(f"{svg.rect('chart-bar', x + room * 0.15, bottom - tall, room * 0.7, tall)}</g>")
        if index % every == 0:
            parts.append(svg.label(x + room / 2, size.height - 8, day.label, anchor="middle"))
    return svg.chart(
        f"trend trend-{size.name}",
        width=size.width,
        height=size.height,
        chart_id=f"bars-{size.name}",
        title=title,
        description=description,
        parts=parts,
    )


class _Scale:
    """Instants and amounts as coordinates."""

    def __init__(self, size: Size, start: datetime, end: datetime, low: int, high: int) -> None:
        self.size, self.start, self.low, self.high = size, start, low, high
        self.span = max(end - start, timedelta(hours=1))

    def x(self, at: datetime) -> float:
        share = min(1.0, max(0.0, (at - self.start) / self.span))
        return LEFT + (self.size.width - LEFT - RIGHT) * share

    def y(self, value: int) -> float:
        height = self.size.height - TOP - FOOT
        return TOP + height * (self.high - value) / (self.high - self.low)

    def point(self, reading: Reading) -> svg.Point:
        return self.x(reading.at), self.y(reading.left)

    def gridline(self, value: int, amount_text: Callable[[int], str]) -> str:
        return _gridline(self.size, self.y(value), amount_text(value), zero=value == 0)

    def days(self, day_text: Callable[[datetime], str]) -> list[str]:
        """Labels at even distances, the ends included."""
        count = 7 if self.size is WIDE else 4
        labels = []
        for number in range(count):
            at = self.start + self.span * number / (count - 1)
            anchor = "start" if number == 0 else "end" if number == count - 1 else "middle"
            labels.append(svg.label(self.x(at), self.size.height - 8, day_text(at), anchor=anchor))
        return labels


def _gridline(size: Size, y: float, text: str, *, zero: bool) -> str:
    line = svg.segment("chart-zero" if zero else "chart-grid", (LEFT, y), (size.width - RIGHT, y))
    return line + svg.label(LEFT - 8, y + 4, text, anchor="end")


def _ticks(low: int, high: int) -> list[int]:
    """About four round amounts from `low` to `high`, zero among them."""
    rough = max(1, (high - low) // 4)
    unit = 10 ** (len(str(rough)) - 1)
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough)
    return list(range(-(-low // step) * step, high + 1, step))
