"""Tests the HTML page of a report in headless Chromium. Prints a line for each test, and stops at the first failure."""

import os
import pathlib
import re
import sys

from playwright.sync_api import sync_playwright

PAGE = pathlib.Path(sys.argv[1]).resolve()
SHOTS = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
ORDER = "verdict forest percentiles ratio time knee lanes cost blocks loads origin".split()
ALWAYS = {"verdict", "forest", "percentiles", "ratio", "blocks", "origin"}
WIDTHS = (360, 390, 620, 800, 801, 1280, 1600)
CHARTS = "svg[role=img]"


def open_page(browser, width=1280, scheme="light", script=True):
    page = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script).new_page()
    page.requests, page.complaints = [], []
    page.on("request", lambda request: page.requests.append(request.url))
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(PAGE.as_uri(), wait_until="load")
    return page


def shown(page, selector):
    return [element for element in page.query_selector_all(selector) if element.is_visible()]


def shot(page, name):
    if SHOTS:
        page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


def no_other_file_is_requested(browser):
    page = open_page(browser)
    assert [url for url in page.requests if not url.startswith("data:")] == [PAGE.as_uri()], page.requests
    assert PAGE.stat().st_size <= 300 * 1024, PAGE.stat().st_size


def no_error_is_reported(browser):
    for scheme in ("light", "dark"):
        page = open_page(browser, scheme=scheme)
        assert page.complaints == [], page.complaints


def panels_are_in_order(browser):
    sections = open_page(browser).query_selector_all("section")
    found = [section.get_attribute("id") for section in sections]
    assert found == [name for name in ORDER if name in found], found
    assert ALWAYS <= set(found), found
    tops = [section.bounding_box()["y"] for section in sections]
    assert tops == sorted(tops)


def a_pointer_shows_values(browser):
    page = open_page(browser)
    for panel, expected in (("percentiles", "s"), ("forest", "["), ("blocks", "block ")):
        mark = shown(page, f"#{panel} [data-tip]")[1]
        mark.scroll_into_view_if_needed()
        mark.hover(force=True)
        page.wait_for_selector("#tip.on")
        text = page.inner_text("#tip")
        assert text and expected in text, (panel, text)
    page.keyboard.press("Escape")
    assert page.query_selector("#tip.on") is None


def the_keyboard_hides_series(browser):
    for script in (True, False):
        page = open_page(browser, script=script)
        box = page.query_selector("#percentiles input")
        series = "#percentiles .of-" + box.get_attribute("class").removeprefix("show-")
        assert shown(page, series)
        for _ in range(200):
            page.keyboard.press("Tab")
            if box.evaluate("box => box === document.activeElement"):
                break
        else:
            raise AssertionError("the Tab key does not reach the checkbox")
        page.keyboard.press("Space")
        assert not shown(page, series)
        assert shown(page, f"#percentiles {CHARTS} > g, #percentiles {CHARTS} path")
        page.keyboard.press("Space")
        assert shown(page, series)


def charts_have_alternatives_and_tables(browser):
    page = open_page(browser)
    figures = page.query_selector_all("figure")
    assert len(figures) >= 4
    for figure in figures:
        [drawing] = shown(figure, CHARTS)
        assert len(drawing.get_attribute("aria-label")) >= 20
        figure.query_selector("details > summary").focus()
        page.keyboard.press("Enter")
        assert figure.query_selector("details table").is_visible()
        assert figure.query_selector("tbody tr")


def nothing_is_cut_off(browser):
    for width in WIDTHS:
        page = open_page(browser, width=width)
        content = page.evaluate("document.documentElement.scrollWidth")
        assert content <= width, (width, content)
        smallest = min(12.5 * chart.evaluate("svg => svg.clientWidth / svg.viewBox.baseVal.width")
                       for chart in shown(page, CHARTS))
        assert smallest >= 10, (width, smallest)
        shot(page, f"{width}")


def luminance(color):
    """Returns the luminance of a color such as rgb(255, 255, 255), as WCAG defines it."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def both_themes_are_legible(browser):
    grounds = set()
    for scheme in ("light", "dark"):
        page = open_page(browser, scheme=scheme)
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        grounds.add(ground)
        for selector in ("h1", "h2", ".lead", ".sentence", ".facts dt"):
            ink = page.eval_on_selector(selector, "element => getComputedStyle(element).color")
            darker, lighter = sorted((luminance(ink), luminance(ground)))
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (scheme, selector, ink, ground)
        shot(page, scheme)
    assert len(grounds) == 2, grounds


def nothing_is_lost_without_scripts(browser):
    with_script, without = open_page(browser), open_page(browser, script=False)
    for selector in ("section", f"figure {CHARTS}", ".sentence", "details"):
        assert len(shown(without, selector)) == len(shown(with_script, selector)) > 0, selector
    assert without.query_selector("#percentiles svg title") is not None
    shot(without, "without-scripts")


def the_numbers_are_in_the_page(browser):
    page = open_page(browser)
    report = page.evaluate("JSON.parse(document.querySelector('#report').textContent)")
    sentences = [comparison["sentence"] for load in report["loads"] for comparison in load["comparisons"]]
    body = " ".join(page.inner_text("main").split())
    for sentence in [*sentences, report["origin"]["command"]]:
        assert sentence in body, sentence


TESTS = [
    no_other_file_is_requested, no_error_is_reported, panels_are_in_order, a_pointer_shows_values,
    the_keyboard_hides_series, charts_have_alternatives_and_tables, nothing_is_cut_off,
    both_themes_are_legible, nothing_is_lost_without_scripts, the_numbers_are_in_the_page]

with sync_playwright() as playwright:
    chromium = playwright.chromium.launch(executable_path=os.environ["CHROMIUM"], args=["--no-sandbox"])
    for test in TESTS:
        test(chromium)
        print("passed:", test.__name__.replace("_", " "))
