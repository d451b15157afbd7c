"""How every page looks: calm, light or dark, and unmistakably not Stripe."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --line: #d5d9de; --quiet: #5b6470; --go: #0b6e4f; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaed; --paper: #16181b; --line: #3a3f46; --quiet: #a3abb5; --go: #1c8f6a; }
}
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
.sandbox { margin: 0; background: #ffd24a; color: #1b1f24; padding: .6rem 1rem; text-align: center; }
main { max-width: 34rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; padding: .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.amount, th.amount { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
form { display: grid; gap: .6rem; margin: 1rem 0; } form.inline { display: inline; }
label { display: grid; gap: .2rem; }
input, button { font: inherit; padding: .6rem 1rem; border: 1px solid var(--line); border-radius: .4rem;
  background: transparent; color: inherit; }
button { cursor: pointer; }
button.go { background: var(--go); border-color: var(--go); color: #fff; font-weight: 600; }
.quiet { color: var(--quiet); } [role=alert] { border-left: 4px solid #c0392b; padding-left: .8rem; }
a { color: inherit; }
"""


@dataclass(frozen=True)
class Page:
    """A page, or the way to another one."""

    html: str = ""
    status: int = 200
    redirect: str | None = None

    @classmethod
    def of(cls, title: str, *parts: str, status: int = 200) -> "Page":
        """A page with this heading and these pieces of HTML."""
        return cls(
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} (sandbox)</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<style>{_STYLE}</style></head><body>"
            '<p class="sandbox"><strong>SANDBOX</strong>: this stands in for Stripe. No real money moves, and no card '
            "number is asked for.</p>"
            f"<main><h1>{escape(title)}</h1>{''.join(parts)}</main></body></html>",
            status=status,
        )

    @classmethod
    def to(cls, url: str) -> "Page":
        return cls(redirect=url)

    @classmethod
    def sorry(cls, message: str, *, status: int = 400) -> "Page":
        return cls.of("That did not work", alert(message), status=status)


def alert(message: str | None) -> str:
    return f'<p role="alert">{escape(message)}</p>' if message else ""


def paragraph(text: str) -> str:
    return f'<p class="quiet">{escape(text)}</p>'


def link(text: str, url: str | None) -> str:
    return f'<p><a href="{escape(url)}">{escape(text)}</a></p>' if url else ""


def button(text: str, name: str, value: str, *, go: bool = False) -> str:
    style = ' class="go"' if go else ""
    return f'<button{style} name="{escape(name)}" value="{escape(value)}">{escape(text)}</button>'


def form(*parts: str, action: str = "", inline: bool = False) -> str:
    style = ' class="inline"' if inline else ""
    where = f' action="{escape(action)}"' if action else ""
    return f'<form method="post"{where}{style}>{"".join(parts)}</form>'


def field(label: str, name: str, value: str, kind: str = "text") -> str:
    return f'<label>{escape(label)} <input type="{kind}" name="{escape(name)}" value="{escape(value)}"></label>'


def table(rows: Sequence[tuple[str, ...]], *, head: tuple[str, ...] = (), html: bool = False) -> str:
    """Rows of text, or of HTML; the last column is an amount."""
    shown = [[cell if html else escape(cell) for cell in row] for row in rows]
    body = "".join(
        f'<tr>{"".join(f"<td>{cell}</td>" for cell in row[:-1])}<td class="amount">{row[-1]}</td></tr>' for row in shown
    )
    heading = "".join(f"<th>{escape(cell)}</th>" for cell in head[:-1])
    heading = f'<tr>{heading}<th class="amount">{escape(head[-1])}</th></tr>' if head else ""
    return f"<table>{heading}{body}</table>"


def when(instant: int | None) -> str:
    """For people, in UTC."""
    return "-" if instant is None else datetime.fromtimestamp(instant, UTC).strftime("%-d %b %Y, %H:%M")
