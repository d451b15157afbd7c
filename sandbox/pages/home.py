"""The sandbox's own front page: what time it is, what was paid, what was told; and buttons that move the clock."""

from html import escape

from sandbox import API_VERSION, timeline
from sandbox.house import House
from sandbox.money import display
from sandbox.pages.layout import Page, button, form, paragraph, table, when
from sandbox.totals import totals

_STEPS = (("An hour later", 3600), ("A day later", 86400), ("A month later", 31 * 86400))
_SHOWN = 15


def home(house: House, method: str, form_data: dict[str, str]) -> Page:
    """``/``."""
    world = house.world
    if method == "POST":
        timeline.advance(world, world.now() + int(form_data.get("seconds", "0")))
        return Page.to("/")
    sums = world.work(lambda: totals(world))
    waiting = [one for one in world.work(lambda: world.store.find("checkout.session")) if one["status"] == "open"]
    told = house.courier.log()[-_SHOWN:]
    return Page.of(
        "Stripe sandbox",
        paragraph(
            f"Speaks {API_VERSION}. Requests are "
            + (
                "checked against Stripe's specification."
                if house.api.specification
                else "not checked: the specification is not here."
            )
        ),
        "<h2>Clock</h2>",
        paragraph(f"It is {when(world.now())} UTC here."),
        form(*(button(text, "seconds", str(seconds)) for text, seconds in _STEPS)),
        "<h2>Money</h2>",
        table(
            [
                (
                    str(of["charges"]),
                    display(of["refunded"], one),
                    display(of["disputed"], one),
                    display(of["charged"], one),
                )
                for one, of in sums.items()
            ],
            head=("Charges", "Refunded", "Disputed", "Charged"),
        )
        if sums
        else paragraph("Nothing was charged yet."),
        "<h2>Open checkouts</h2>",
        table(
            [
                (
                    f'<a href="{escape(one["url"])}">{escape(one["mode"])}</a>',
                    escape(display(one["amount_total"] or 0, one["currency"] or "usd")),
                )
                for one in waiting[:_SHOWN]
            ],
            html=True,
        )
        if waiting
        else paragraph("None."),
        "<h2>Latest webhooks</h2>",
        table([(one["type"], one["state"]) for one in reversed(told)]) if told else paragraph("None."),
        paragraph(f"{len(house.api.violations)} requests were not as Stripe wants them: /sandbox/violations"),
    )
