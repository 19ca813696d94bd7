"""Tests of the dashboard in a browser on real years: numbers against SQL over `crimes`, layout, interaction, print."""

import io
import re
import urllib.request
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow.parquet
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from chicago_crime import reference
from chicago_crime.dashboard.app import PAGES
from chicago_crime.settings import Settings
from chicago_crime_tests.end_to_end.pages import drawn, number, open_page, silent_page

ADDRESSES = (*PAGES, "where?map=beats", "where?map=hot_spots", "embed/overview/trend")

VIOLENT = "fbi_code IN ('01A', '02', '03', '04A', '04B')"
COMBINATIONS = {
    "": "TRUE",
    "offense_class=violent&year=2014-2015": f"{VIOLENT} AND year IN (2014, 2015)",
    "type=CRIMINAL+SEXUAL+ASSAULT&type=NON-CRIMINAL": "primary_type ~ 'CRIM.*SEXUAL ASSAULT|NON.*CRIMINAL.*'",
    "area=32&district=1&domestic=no&arrest=no&type=THEFT&year=2016": (
        "community_area = 32 AND district = 1 AND NOT domestic AND NOT arrest AND primary_type = 'THEFT' "
        "AND year = 2016"
    ),
    "ward=24&ward=27&hour=1&hour=22&weekday=6&weekday=7": (
        "ward IN (24, 27) AND hour(date) IN (1, 22) AND isodow(date) IN (6, 7)"
    ),
    "beat=1834&start=2015-03-05&finish=2016-02-29": "beat = 1834 AND date::DATE BETWEEN '2015-03-05' AND '2016-02-29'",
    "group=carjacking&location=RESIDENCE-GARAGE": "iucr ~ '032[56]' AND location_description ~ 'RESIDENCE ?- ?GARAGE'",
    "type=HOMICIDE&block=000XX+N+LARAMIE+AVE": "primary_type = 'HOMICIDE' AND block = '0000X N LARAMIE AVE'",
    "block=001XX+N+STATE+ST&description=RETAIL+THEFT": "block = '001XX N STATE ST' AND description = 'RETAIL THEFT'",
}
"""Query string -> the same condition on `crimes`, without marts or SQL of the dashboard."""


def query_crimes(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    """Query `crimes` and the reference table of areas with DuckDB."""
    crimes = settings.data_dir / "warehouse" / "crimes" / "*.parquet"
    areas = reference.file("community_areas")
    return duckdb.sql(f"WITH crimes AS (FROM '{crimes}'), areas AS (FROM read_csv('{areas}')) {sql}").fetchall()


def download(address: str, table: str, query: str) -> pyarrow.Table:
    body = urllib.request.urlopen(f"{address}/download/{table}.parquet?{query}").read()
    return pyarrow.parquet.read_table(io.BytesIO(body))


@pytest.mark.parametrize("query", COMBINATIONS)
def test_filtered_numbers_equal_sql_over_crimes(page: Page, address: str, real_years: Settings, query: str) -> None:
    condition = COMBINATIONS[query]
    [(crimes, arrests, placed, placeholders)] = query_crimes(
        real_years,
        "SELECT COUNT(*), COUNT(*) FILTER (arrest), COUNT(x_coordinate), "
        f"COUNT(*) FILTER (date::TIME IN ('00:00:00', '00:01:00')) FROM crimes WHERE {condition}",
    )
    assert crimes > 0
    open_page(page, f"{address}/overview?{query}")
    assert number(page, "Reported crimes") == crimes
    arrest_flag = page.locator(".number").filter(has_text="Arrest rate")
    expect(arrest_flag).to_contain_text(f"{arrests:,} crime")
    expect(arrest_flag.locator(".value")).to_have_text(f"{100 * arrests / crimes:.1f}%")
    page.goto(f"{address}/where?{query}")
    assert (number(page, "Reported crimes"), number(page, "Without a location")) == (crimes, crimes - placed)
    page.goto(f"{address}/when?{query}")
    expect(page.locator(".number").filter(has_text="Time unknown")).to_contain_text(f"{placeholders:,} crime")

    by_area = "SELECT name, COUNT(id) FROM areas LEFT JOIN (FROM crimes WHERE {}) USING (community_area) GROUP BY ALL"
    found = download(address, "where/areas", query)
    counts = dict(zip(found["name"].to_pylist(), found["crimes"].to_pylist(), strict=True))
    assert counts.items() <= dict(query_crimes(real_years, by_area.format(condition))).items()
    cells = download(address, "where/cells", f"{query}&map=cells")
    by_cell = "SELECT floor(x_coordinate / 660), floor(y_coordinate / 660), COUNT(*) FROM crimes WHERE x_coordinate > 0"
    expected = {
        (x * 660 + 330, y * 660 + 330): n
        for x, y, n in query_crimes(real_years, f"{by_cell} AND {condition} GROUP BY ALL")
    }
    assert {(row["x_ft"], row["y_ft"]): row["crimes"] for row in cells.to_pylist()} == expected
    found = download(address, "when/hours", query)
    hours = [(row["weekday"][:3], row["hour"], row["crimes"]) for row in found.to_pylist() if row["crimes"]]
    by_hour = "SELECT strftime(date, '%a'), hour(date), COUNT(*) FROM crimes"
    known = f"date::TIME NOT IN ('00:00:00', '00:01:00') AND {condition}"
    assert sorted(hours) == sorted(query_crimes(real_years, f"{by_hour} WHERE {known} GROUP BY ALL"))


def test_headers_and_totals_stay_visible_without_covering_rows(page: Page, address: str) -> None:
    open_page(page, f"{address}/compare?end=2016-06-30")
    region = page.locator(".scroll").first

    def place(selector: str) -> dict[str, float]:
        return region.locator(selector).evaluate("part => part.getBoundingClientRect().toJSON()")

    assert place("thead")["bottom"] == pytest.approx(place("tbody tr:first-child")["top"], abs=0.1)
    scrolled = region.evaluate("region => { region.scroll(0, 300); return [region.scrollLeft, region.scrollTop]; }")
    assert scrolled == [0, 300]
    seen = region.evaluate("region => region.getBoundingClientRect().toJSON()")
    assert place("thead")["top"] == pytest.approx(seen["top"], abs=0.1)
    assert place("tr.total")["bottom"] <= seen["bottom"], "the total stays in view"
    open_page(page, f"{address}/incidents?year=2016&sort=incidents:-block")
    assert region.evaluate("region => region.scrollWidth <= region.clientWidth"), "every column is in view"


@pytest.mark.parametrize("name", ADDRESSES)
def test_every_page_fits_and_is_accessible(page: Page, address: str, name: str) -> None:
    open_page(page, f"{address}/{name}")
    if name == "overview":  # all pages have the same filters
        page.locator(".group > summary").evaluate_all("all => all.forEach((one) => one.click())")
    assert page.locator(".chart canvas").count() == page.locator(".chart").count()
    ids = page.locator("[id]").evaluate_all("all => all.map((one) => one.id)")
    assert len(ids) == len({*ids})
    cases: tuple[tuple[Literal["light", "dark"], int, dict[str, Any]], ...] = (
        ("light", 1200, {"rules": {"label-content-name-mismatch": {"enabled": True}}}),
        ("dark", 390, {"runOnly": {"type": "rule", "values": ["color-contrast", "scrollable-region-focusable"]}}),
    )
    for scheme, width, options in cases:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(f"document.documentElement.scrollWidth <= {width}")  # charts follow in the next frame
        if name.startswith(("compare", "where")):
            tables = page.locator(".scroll")
            assert tables.evaluate_all("all => all.every((one) => one.scrollWidth <= one.clientWidth)")
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", background)[:3])) < 384) == (scheme == "dark")
        found = Axe().run(page, options={"resultTypes": ["violations"]} | options).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []

    page.set_viewport_size({"width": 1280, "height": 900})
    page.add_style_tag(content=":root { font-size: 32px !important }")
    page.wait_for_function("document.documentElement.scrollWidth <= 1280")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 32, 39)", "paper is light"
    expect(page.locator(".filters")).to_be_hidden()
    expect(page.locator("nav")).to_be_hidden()
    expect(page.get_by_role("search")).to_be_hidden()
    page.set_viewport_size({"width": 720, "height": 960})
    assert name != "compare" or page.locator("[data-table=spans] thead").is_visible(), "paper has room for columns"


def test_filters_work_without_reload_and_the_address_restores_them(browser: Browser, page: Page, address: str) -> None:
    open_page(page, f"{address}/overview")
    page.evaluate("window.isStillHere = true")
    city = number(page, "Reported crimes")
    page.get_by_role("checkbox", name="2016").check()
    page.locator("summary").filter(has_text="Community areas").click()
    page.get_by_role("checkbox", name="Hyde Park").check()
    page.get_by_label("Arrest flag").select_option("no")
    page.wait_for_url(f"{address}/overview?year=2016&area=41&arrest=no")
    drawn(page)
    chosen = number(page, "Reported crimes")
    assert 0 < chosen < city
    page.get_by_role("link", name="When").click()
    page.wait_for_url(f"{address}/when?year=2016&area=41&arrest=no")
    assert number(page, "Reported crimes") == chosen
    page.go_back()
    page.go_back()
    page.wait_for_url(f"{address}/overview?year=2016&area=41")
    drawn(page)
    expect(page.get_by_label("Arrest flag")).to_have_value("")
    assert number(page, "Reported crimes") > chosen
    assert page.evaluate("window.isStillHere"), "the page was reloaded"

    with silent_page(browser) as sent:
        open_page(sent, f"{address}/overview?year=2016&area=41&arrest=no")
        assert number(sent, "Reported crimes") == chosen
        expect(sent.get_by_role("checkbox", name="2016")).to_be_checked()
        expect(sent.locator("#filters [name=area][value='41']")).to_be_checked()
        sent.get_by_role("link", name="Remove the filter Hyde Park").click()
        sent.wait_for_url(f"{address}/overview?year=2016&arrest=no")
        expect(sent.locator("#filters [name=area][value='41']")).not_to_be_checked()


def test_back_undoes_changes_of_a_control_in_one_step(page: Page, address: str) -> None:
    open_page(page, f"{address}/where?year=2016")
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url) if "start=" in request.url else None)
    entries = page.evaluate("history.length")
    page.get_by_role("button", name="Apply").click()
    page.get_by_role("radio", name="Community areas").focus()
    for shown in ("districts", "beats", "wards"):
        page.keyboard.press("ArrowDown")
        page.wait_for_url(f"{address}/where?map={shown}&year=2016")
    page.get_by_label("From", exact=True).press_sequentially("03012016")
    page.wait_for_url(f"{address}/where?map=wards&year=2016&start=2016-03-01")
    drawn(page)
    assert requested == [page.url], "no request for the year 201"
    assert page.evaluate("history.length") == entries + 2
    page.go_back()
    page.go_back()
    page.wait_for_url(f"{address}/where?year=2016")


def test_keyboard_navigation_keeps_the_focus(page: Page, address: str) -> None:
    open_page(page, f"{address}/overview?area=41")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url) if "/static/" not in request.url else None)
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/overview?area=41#main")
    expect(page.locator("#main")).to_be_focused()
    page.get_by_role("checkbox", name="2015").focus()
    page.keyboard.press("Space")
    page.wait_for_url(f"{address}/overview?year=2015&area=41")
    drawn(page)
    assert requests == [f"{address}/overview?year=2015&area=41"], "a link within the page loads nothing"
    expect(page.get_by_role("checkbox", name="2015")).to_be_focused()
    expect(page.get_by_role("status")).to_contain_text(re.compile("^Reported crimes: [0-9,]+, in 2015$"))
    page.get_by_role("link", name="Remove the filter Hyde Park").press("Enter")
    page.wait_for_url(f"{address}/overview?year=2015")
    drawn(page)
    expect(page.locator("#main")).to_be_focused()
    page.get_by_role("link", name="When").press("Enter")
    page.wait_for_url(f"{address}/when?year=2015")
    drawn(page)
    expect(page.get_by_role("link", name="When")).to_be_focused()


@pytest.mark.parametrize("name", ["where?offense_class=violent&year=2016", "compare"])
def test_sticky_elements_do_not_cover_the_focus(page: Page, address: str, name: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    open_page(page, f"{address}/{name}")
    hidden = """() => {
      const focused = document.activeElement, { left, top, bottom } = focused.getBoundingClientRect();
      const at = (y) => document.elementFromPoint(left + 1, y)?.closest(".buttons, thead, tfoot");
      const hides = (one) => one && !one.contains(focused) && !focused.contains(one);
      return [top + 1, bottom - 1].map(at).some(hides) && focused.outerHTML;
    }"""
    page.get_by_role("checkbox", name="Violent").focus()
    for key in [*["Tab"] * 70, *["Shift+Tab"] * 60]:
        page.keyboard.press(key)
        assert not page.evaluate(hidden), key


def test_changes_before_the_script_loads_apply(page: Page, address: str) -> None:
    held: list[Route] = []
    page.route("**/app.js", lambda route: held.append(route))
    page.goto(f"{address}/overview", wait_until="commit")
    page.get_by_role("checkbox", name="2015").check()
    page.locator("[name=domestic]").select_option("yes")
    held[0].continue_()
    page.wait_for_url(f"{address}/overview?year=2015&domestic=yes")
    drawn(page)
    expect(page.locator(".number").first).to_contain_text("in 2015")


def test_a_late_response_does_not_undo_a_newer_choice(page: Page, address: str) -> None:
    open_page(page, f"{address}/overview")
    held: list[Route] = []
    page.route(f"{address}/overview?year=2015", lambda route: held.append(route))
    page.get_by_role("checkbox", name="2015").check()
    page.wait_for_url(f"{address}/overview?year=2015")
    page.get_by_role("checkbox", name="2014").check()
    page.wait_for_url(f"{address}/overview?year=2015&year=2014")
    drawn(page)
    both = number(page, "Reported crimes")
    with page.expect_event("requestfinished"):
        held[0].continue_()
    page.wait_for_timeout(300)
    assert number(page, "Reported crimes") == both
    assert page.url == f"{address}/overview?year=2015&year=2014"


def test_it_works_without_javascript(browser: Browser, address: str) -> None:
    with silent_page(browser, java_script_enabled=False) as page:
        page.goto(f"{address}/overview")
        page.get_by_role("checkbox", name="2016").check()
        page.get_by_role("button", name="Apply").click()
        expect(page.locator(".number").first).to_contain_text("in 2016")
        assert "year=2016" in page.url
        page.get_by_role("searchbox", name="Search for offenses").fill("burglary hyde park 2016")
        page.get_by_role("button", name="Search").click()
        assert number(page, "Reported crimes") == 166
        page.goto(f"{address}/where?year=2016")
        page.get_by_role("link", name=re.compile("^Austin: ")).press("Enter")
        page.wait_for_url(f"{address}/where?year=2016&area=25&map=cells")


def test_long_lists_are_searchable_and_summarize_the_selection(page: Page, address: str) -> None:
    open_page(page, f"{address}/incidents?year=2016")
    group = page.locator(".group[data-key=description]")
    group.locator("summary").click()
    group.get_by_role("searchbox").fill("purse-snatch")
    expect(group.locator("label:visible")).to_have_text("Purse-snatching")
    group.get_by_role("checkbox", name="Purse-snatching", exact=True).check()
    expect(group.locator("summary .selected")).to_have_text("Purse-snatching")
    page.reload()
    drawn(page)
    group.locator("summary").click()
    expect(group.locator("label").first).to_have_text("Purse-snatching")
    block = page.locator(".group[data-key=block]")
    block.locator("summary").click()
    block.get_by_role("combobox").fill("n state")
    expect(page.locator("#block-names option").first).to_have_attribute("value", re.compile("N STATE"))


def test_charts_have_tooltips_and_can_be_saved(page: Page, address: str) -> None:
    open_page(page, f"{address}/overview?year=2016&type=THEFT&area=41")
    chart = page.locator("[data-chart=trend] canvas")
    box = chart.bounding_box()
    chart.hover(position={"x": box["width"] / 2, "y": box["height"] * 0.7})
    expect(page.locator("#vg-tooltip-element")).to_contain_text("June 2016")
    for format, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        with page.expect_download() as saved:
            page.get_by_role("button", name=f"Save the chart Month by month as {format}").click()
        assert saved.value.suggested_filename.endswith(format.lower())
        picture = Path(saved.value.path()).read_bytes()
        assert picture.startswith(start)
        texts = ("Month by month", "2016, Theft, Hyde Park", "Gray: ", "Chicago crime snapshot ", "Crimes per month")
        assert format == "PNG" or all(f">{text}" in picture.decode() for text in texts)


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
