"""Pieces of small SVG charts drawn on the server. Pure: numbers in, escaped markup out.

Colours are CSS classes, so a page's light and dark themes apply. Amounts are integers of any one unit; they become
floats only as coordinates. What has no value is a gap, never a zero.
"""

from collections.abc import Iterable, Sequence
from html import escape

Point = tuple[float, float]


def chart(
    name: str, *, width: int, height: int, chart_id: str, title: str, description: str, parts: Iterable[str]
) -> str:
    """A drawing with a title and a description for those who hear it."""
    title_id, about = f"{escape(chart_id)}-title", f"{escape(chart_id)}-description"
    head = (
        f'<svg class="{name}" viewBox="0 0 {width} {height}" role="img" aria-labelledby="{title_id} {about}">'
        f'<title id="{title_id}">{escape(title)}</title><desc id="{about}">{escape(description)}</desc>'
    )
    return "".join([head, *parts, "</svg>"])


def line(points: Sequence[Point | None], name: str) -> str:
    """A polyline for each unbroken run; a lone point is a dot, which a line could not show."""
    parts: list[str] = []
    run: list[Point] = []
    for point in [*points, None]:
        if point is not None:
            run.append(point)
        elif run:
            if len(run) == 1:
                parts.append(f'<circle class="{name}" cx="{number(run[0][0])}" cy="{number(run[0][1])}" r="2"/>')
            else:
                parts.append(f'<polyline class="{name}" points="{_coordinates(run)}"/>')
            run = []
    return "".join(parts)


def area(points: Sequence[Point], base: float, name: str) -> str:
    """What lies between an unbroken line and the height `base`."""
    if not points:
        return ""
    outline = [(points[0][0], base), *points, (points[-1][0], base)]
    return f'<polygon class="{name}" points="{_coordinates(outline)}"/>'


def segment(name: str, start: Point, end: Point) -> str:
    """A straight line."""
    (x1, y1), (x2, y2) = start, end
    return f'<line class="{name}" x1="{number(x1)}" x2="{number(x2)}" y1="{number(y1)}" y2="{number(y2)}"/>'


def rect(name: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="{name}" x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"/>'


def label(x: float, y: float, text: str, *, anchor: str) -> str:
    """Text at a place; `anchor` is start, middle or end."""
    return f'<text class="chart-label" x="{number(x)}" y="{number(y)}" text-anchor="{anchor}">{escape(text)}</text>'


def hint(text: str) -> str:
    """What pointing at the group it stands in says."""
    return f"<title>{escape(text)}</title>"


def number(value: float) -> str:
    """A coordinate to a tenth."""
    return f"{value:.1f}".removesuffix(".0")


def _coordinates(points: Iterable[Point]) -> str:
    return " ".join(f"{number(x)},{number(y)}" for x, y in points)
