"""Tests of the static site of real years in a browser, from a folder without a server."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from chicago_crime.serve.site_pages import site_parts
from chicago_crime.settings import Settings
from chicago_crime_tests.dashboard.conftest import data_of
from chicago_crime_tests.end_to_end.pages import silent_page

PAGES = {"index", "area-25", "area-25-chart", "unusual", "methods", "data-dictionary", "downloads"}
BROKEN_WORDS = """all => all.flatMap((one) => {
  const walk = document.createTreeWalker(one, NodeFilter.SHOW_TEXT), range = new Range(), broken = [];
  for (let node; (node = walk.nextNode());) for (const word of node.data.matchAll(/\\S+/g)) {
    range.setStart(node, word.index);
    range.setEnd(node, word.index + word[0].length);
    if (range.getClientRects().length > 1) broken.push(word[0]);
  }
  return broken;
})"""


@pytest.fixture(scope="module")
def site(real_years: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with some pages of the site; all of them would take a minute."""
    folder = tmp_path_factory.mktemp("site") / "a folder"
    folder.mkdir()
    for part in site_parts(data_of(real_years)):
        if not PAGES.isdisjoint(name.removesuffix(".html") for name in part.names):
            for name, content in zip(part.names, part.make(), strict=True):
                (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("name", sorted(PAGES))
def test_every_page_fits_is_accessible_and_loads_nothing(browser: Browser, site: Path, name: str) -> None:
    with silent_page(browser) as page:
        requested: list[str] = []
        page.on("request", lambda request: requested.append(request.url))
        page.goto((site / f"{name}.html").as_uri())
        assert page.locator("script").count() == 0
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.locator(".n, thead th, .value").evaluate_all(BROKEN_WORDS) == []
        found = Axe().run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
        assert [url for url in requested if not url.startswith("data:")] == [(site / f"{name}.html").as_uri()]


def test_every_link_works_and_every_page_is_linked(site: Path, real_years: Settings) -> None:
    names = {name for part in site_parts(data_of(real_years)) for name in part.names}
    pages = {page.name: page.read_text() for page in site.glob("*.html")}
    reached = {"index.html"}
    for name, text in pages.items():
        for link in re.findall(r'href="([^"]+)"', text):
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme in ("data", "https"), f"{name}: {link}"
                continue
            target = unquote(parts.path) or name
            assert target in names, f"{name}: {link}"
            assert not parts.fragment or f'id="{parts.fragment}"' in pages[target], f"{name}: {link}"
            reached.add(target)
    assert reached >= {name for name in names if name.endswith(".html") and not name.endswith("-chart.html")}
