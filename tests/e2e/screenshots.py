"""`make screenshots`: take the documentation's pictures of a service with the demo company in it.

Pictures of a service that is running already: WEIR_URL=http://127.0.0.1:8000 make screenshots
"""

import sys
from pathlib import Path
from typing import Literal, NamedTuple

from kernel.sql_files import ROOT
from tests.e2e.browser import Visit, a_browser
from tests.e2e.customer import enter
from tests.e2e.service import a_service

FOLDER = ROOT / "docs" / "screenshots"
WIDTH = 1280
MOST_BYTES = 300_000
CUSTOMER = "harbour-legal"


class Picture(NamedTuple):
    """What to show: a page, or where to get from it by following links; `top` is scrolled to the top.

    A customer's own page is shown as that customer sees it.
    """

    name: str
    path: str
    height: int
    follow: tuple[str, ...] = ()
    top: str = ""
    colours: Literal["light", "dark"] = "light"
    customer: str = ""
    width: int = WIDTH


PICTURES = (
    Picture("margins", "/margins/", 1180),
    Picture("margins-dark", "/margins/", 1180, colours="dark"),
    Picture("margins-people", "/margins/people/", 1180),
    Picture("margins-savings", "/margins/savings/", 1180),
    Picture("margins-resilience-dark", "/margins/checklist/", 1180, colours="dark"),
    Picture("board-report", "/margins/report/", 1180),
    Picture("customer-margin", "/margins/customers/hungry-otter-games/", 1320),
    Picture("admin", "/admin/plans/plan/", 620),
    Picture("plan", "/admin/plans/plan/", 2010, follow=("scale", "v1")),
    Picture("portal", "/portal/", 1030, customer=CUSTOMER),
    Picture("portal-dark", "/portal/", 1030, customer=CUSTOMER, colours="dark"),
    Picture("portal-phone", "/portal/", 1350, customer=CUSTOMER, width=375),
    Picture("portal-buy", "/portal/buy", 720, customer=CUSTOMER),
    Picture("api-docs", "/docs/", 640, top='.opblock-tag-section:has([data-path="/v1/check"])'),
)


def main() -> int:
    try:
        with a_service() as service, a_browser() as browser:
            FOLDER.mkdir(parents=True, exist_ok=True)
            for colours in ("light", "dark"):
                viewport = {"width": WIDTH, "height": 900}
                page = browser.new_page(viewport=viewport, color_scheme=colours, reduced_motion="reduce")  # type: ignore[arg-type]
                visit = Visit(page, service)
                visit.sign_in()
                for picture in PICTURES:
                    if picture.colours == colours:
                        print(_taken(visit, picture).relative_to(ROOT))
                page.close()
    except RuntimeError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _taken(visit: Visit, picture: Picture) -> Path:
    page = visit.page
    page.set_viewport_size({"width": picture.width, "height": picture.height})
    if picture.customer:
        enter(page, visit.service, picture.customer)
    visit.go(picture.path)
    for link in picture.follow:
        page.get_by_role("link", name=link, exact=True).first.click()
        page.wait_for_load_state("networkidle")
    if picture.top:
        page.locator(picture.top).first.evaluate("element => element.scrollIntoView()")
    page.evaluate("document.fonts.ready")
    path = FOLDER / f"{picture.name}.png"
    page.screenshot(path=path, animations="disabled", caret="hide")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise RuntimeError(f"{path.name} has {size:,} bytes, which is more than {MOST_BYTES:,}")
    return path


if __name__ == "__main__":
    sys.exit(main())
