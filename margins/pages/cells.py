"""A cell of a table, and rows of them as HTML.

In Python: cells are nearly all there is of a page, and the template language takes several times as long over them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe


@dataclass(frozen=True, slots=True)
class Cell:
    """`exact` is the unrounded figure, shown on pointing; `tone`: "", "loss", "caution", "muted"; `markup`: a chart.

    `wraps` is for sentences among the figures.
    """

    text: str
    exact: str = ""
    href: str = ""
    tone: str = ""
    note: str = ""
    markup: str = ""
    wraps: bool = False


def row_markup(cells: Sequence[Cell]) -> SafeString:
    """The cells of a row, which the first one names."""
    return mark_safe("".join([_name(cells[0]), *map(_figure, cells[1:])]))  # noqa: S308 - every text is escaped below


def _name(cell: Cell) -> str:
    tone = f' class="{cell.tone}"' if cell.tone else ""
    return f'<th scope="row"{tone}>{_text(cell)}{_note(cell)}</th>'


def _figure(cell: Cell) -> str:
    kind = "sentence" if cell.wraps else "figure"
    tone = f" {cell.tone}" if cell.tone else ""
    exact = f' title="{escape(cell.exact)}"' if cell.exact and not cell.wraps else ""
    chart = conditional_escape(cell.markup) if cell.markup else ""
    return f'<td class="{kind}{tone}"{exact}>{_text(cell)}{chart}{_note(cell)}</td>'


def _text(cell: Cell) -> str:
    text = escape(cell.text)
    return f'<a href="{escape(cell.href)}">{text}</a>' if cell.href else text


def _note(cell: Cell) -> str:
    return f" <small>{escape(cell.note)}</small>" if cell.note else ""
