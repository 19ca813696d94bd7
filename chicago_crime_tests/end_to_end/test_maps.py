"""Tests of maps and the printed report in a browser on real years."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from chicago_crime_tests.end_to_end.pages import drawn, number, open_page, silent_page


def test_a_map_links_areas_to_cells_and_cells_to_incidents(page: Page, address: str) -> None:
    open_page(page, f"{address}/where?year=2016")
    page.evaluate("window.isStillHere = true")
    whole = page.locator(".map svg").get_attribute("viewBox")
    hyde_park = page.get_by_role("link", name=re.compile("^Hyde Park: "))
    label = str(hyde_park.get_attribute("aria-label"))
    hyde_park.hover()
    expect(page.locator(".tip")).to_have_text(label)
    hyde_park.click()
    page.wait_for_url(f"{address}/where?year=2016&area=41&map=cells")
    drawn(page)
    crimes = number(page, "Reported crimes")
    assert label == f"Hyde Park: {crimes:,} crimes"
    svg = page.locator(".map svg")
    assert page.evaluate("window.isStillHere"), "the page was reloaded"
    near = svg.get_attribute("viewBox")
    assert near != whole, "the map shows the area"
    page.get_by_role("button", name="Zoom in").click()
    assert svg.get_attribute("viewBox") != near
    page.get_by_role("button", name="Whole city").press("Enter")
    page.get_by_role("button", name="Whole city").press("ArrowLeft")
    page.reload()
    drawn(page)
    box = svg.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tip = re.match(r"\d{3}XX [NESW] .+, Hyde Park: ([\d,]+) crimes", page.locator(".tip").inner_text())
    assert tip
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 40, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    assert "map=cells" in page.url, "a drag is not a click"
    page.mouse.click(box["x"] + box["width"] / 2 + 40, box["y"] + box["height"] / 2)
    page.wait_for_url(re.compile(r"/incidents\?.*cell="))
    drawn(page)
    assert number(page, "Reported crimes") == int(tip[1].replace(",", ""))


@pytest.mark.parametrize("shown", ["areas", "cells"])
def test_an_embedded_map_opens_pages_outside_its_frame(page: Page, address: str, shown: str) -> None:
    framing = f'<iframe src="{address}/embed/where/{shown}?map={shown}" width="900" height="900"></iframe>'
    page.route(f"{address}/article", lambda route: route.fulfill(content_type="text/html", body=framing))
    page.goto(f"{address}/article")
    svg = page.frame_locator("iframe").locator(".map svg")
    expect(page.frame_locator("iframe").get_by_role("button", name="Zoom in")).to_be_visible()
    assert "table" not in str(svg.get_attribute("aria-label")), "there is none next to it"
    with page.expect_popup() as opened:
        svg.click()  # its middle is in the city
    expect(opened.value.get_by_role("heading", level=1)).to_have_text("Where" if shown == "areas" else "Incidents")
    expect(svg).to_be_visible()
    opened.value.close()


@pytest.mark.parametrize("query", ["year=2016", "ward=24&type=ROBBERY"])
def test_the_report_prints_on_at_most_four_pages_without_clipping(browser: Browser, address: str, query: str) -> None:
    letter = round((8.5 - 2 * 14 / 25.4) * 96)  # pixels between the margins
    with silent_page(browser, viewport={"width": letter, "height": 900}) as page:
        page.goto(f"{address}/report?{query}")
        page.emulate_media(media="print")
        assert page.evaluate("document.documentElement.scrollWidth") <= letter
        card = page.locator(".numbers li").last.bounding_box()
        assert card and card["x"] + card["width"] < letter, "or its border is cut off"
        expect(page.locator(".map svg path").first).to_be_visible()
        for paper in ("Letter", "A4"):
            pages = re.findall(rb"/Type\s*/Page\b", page.pdf(format=paper))
            assert 2 <= len(pages) <= 4
