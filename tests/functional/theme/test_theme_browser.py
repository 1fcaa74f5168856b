"""Every page in a real browser: no console error, no request elsewhere, no accessibility fault, no sideways scrolling; and what scripts do."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import axe_core_python
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.functional.theme.theme_samples import PAGES

pytestmark = pytest.mark.browser
AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
MODES = [("en", "light", 1440, 900), ("zh", "dark", 1440, 900), ("zh", "light", 390, 844), ("en", "dark", 390, 844)]
ROWS_IN_VIEW = """() => {
  const box = document.querySelector(".grid-box").getBoundingClientRect();
  const head = document.querySelector("thead").getBoundingClientRect();
  return [...document.querySelectorAll("tbody tr")].map((row) => row.getBoundingClientRect())
    .filter((row) => row.top >= head.bottom - 1 && row.bottom <= box.bottom + 1).length;
}"""


def watch(page: Page, base: str) -> list[str]:
    """Collects console errors, script errors and requests to other hosts."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda request: heard.append(request.url) if not request.url.startswith((base, "data:")) else None)
    return heard


def settled(page: Page, url: str) -> None:
    """Opens a page and waits until nothing loads any more."""
    page.goto(url)
    until(page, "document.readyState === 'complete' && !document.querySelector('[hx-trigger=load]:not([data-htmx-powered])')")
    until(page, "!document.querySelector('.tab-n:empty, .htmx-request')")


def until(page: Page, condition: str, *, limit_s: float = 30.0) -> None:
    """Waits for a condition in JavaScript. Asked from outside, since waiting within the page would need `eval`, which its policy forbids."""
    deadline = time.monotonic() + limit_s
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, condition
        page.wait_for_timeout(50)


def violations(page: Page) -> list[tuple[str, str]]:
    """Serious and critical faults: rule and element."""
    page.evaluate(AXE)
    options: dict[str, Any] = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [(one["id"], node["html"][:160]) for one in found if one["impact"] in {"serious", "critical"} for node in one["nodes"]]


@pytest.mark.parametrize(("language", "theme", "width", "height"), MODES)
def test_pages_are_clean_and_accessible_when_opened(
    browser: Browser, preview_url: str, language: str, theme: str, width: int, height: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": height})
    context.add_cookies([{"name": "ol_theme", "value": theme, "url": preview_url}])
    page = context.new_page()
    heard = watch(page, preview_url)
    faults: dict[str, Any] = {}

    for name in PAGES:
        settled(page, f"{preview_url}/{language}/{name}")
        wide = page.evaluate("document.documentElement.scrollWidth")
        found = [*violations(page), *([("wide", str(wide))] if wide > width else [])]
        if found:
            faults[name] = found
    context.close()

    assert faults == {}
    assert heard == []


def test_dialogs_and_menus_are_accessible_when_open(context: BrowserContext, preview_url: str) -> None:
    page = context.new_page()
    heard = watch(page, preview_url)
    settled(page, f"{preview_url}/zh/orders")
    faults = []

    for selector in ("summary:has(.i-filter)", "summary:has(.i-columns-3)", ".user summary", ".bell summary", ".tenant summary"):
        page.click(selector)
        page.wait_for_load_state("networkidle")
        faults += violations(page)
        page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.wait_for_selector(".hit")
    faults += violations(page)

    assert faults == []
    assert heard == []


def test_list_shows_twenty_rows_when_rows_are_compact_on_a_small_screen(context: BrowserContext, preview_url: str) -> None:
    context.add_cookies([{"name": "ol_density", "value": "compact", "url": preview_url}])
    page = context.new_page()
    page.set_viewport_size({"width": 1366, "height": 768})

    settled(page, f"{preview_url}/zh/orders-50")

    assert page.evaluate(ROWS_IN_VIEW) == 20


def test_counts_arrive_after_the_page_when_the_list_opens(context: BrowserContext, preview_url: str) -> None:
    page = context.new_page()

    settled(page, f"{preview_url}/en/orders")

    assert page.locator(".tab-n").all_inner_texts() == ["12", "3", "48", "31", "204", "7", "10,000+"]


def test_bulk_bar_replaces_the_tools_when_rows_are_chosen(context: BrowserContext, preview_url: str) -> None:
    page = context.new_page()
    settled(page, f"{preview_url}/en/orders")
    boxes = page.locator("tbody .c-pick input")

    boxes.nth(1).click()
    boxes.nth(5).click(modifiers=["Shift"])

    assert page.inner_text(".bulk-n") == "5 chosen"
    assert page.locator(".tools").is_visible() is False
    page.click("[data-bulk-none]")
    assert page.locator(".tools").is_visible() is True


def test_bulk_action_waits_for_a_yes_when_it_asks_first(context: BrowserContext, preview_url: str) -> None:
    page = context.new_page()
    settled(page, f"{preview_url}/en/orders")
    page.locator("tbody .c-pick input").first.click()
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.post_data or "") if request.method == "POST" else None)

    page.click("button[value=cancel]")
    page.click("#confirm [value=no]")
    assert posted == []
    page.click("button[value=cancel]")
    with page.expect_navigation():
        page.click("#confirm [value=yes]")

    assert len(posted) == 1
    assert "action=cancel" in posted[0]
    assert "pk=0199-0000" in posted[0]


def test_palette_opens_the_second_hit_when_arrow_and_enter_are_pressed(context: BrowserContext, preview_url: str) -> None:
    page = context.new_page()
    settled(page, f"{preview_url}/zh/orders")

    page.keyboard.press("Control+k")
    page.wait_for_selector(".hit")
    page.keyboard.press("ArrowDown")

    assert page.locator(".hit[aria-selected=true]").get_attribute("id") == "hit-2"
    page.keyboard.press("Enter")
    assert page.url.endswith("#")


def test_shortcuts_move_choose_and_peek_when_switched_on(context: BrowserContext, preview_url: str) -> None:
    page = context.new_page()
    settled(page, f"{preview_url}/en/orders")

    for key in ("j", "j", "x", "Space"):
        page.keyboard.press(key)
    page.wait_for_selector("#peek-body .peek-name")

    assert page.locator("tr.row-now").get_attribute("data-pk") == "0199-0001"
    assert page.locator("tbody .c-pick input:checked").get_attribute("value") == "0199-0001"
    page.keyboard.press("Escape")
    assert page.locator("#peek").is_visible() is False


def test_shortcuts_stay_silent_when_typing_or_switched_off(context: BrowserContext, preview_url: str) -> None:
    page = context.new_page()
    settled(page, f"{preview_url}/en/orders")

    page.focus("[data-find]")
    page.keyboard.type("jx?")
    assert page.input_value("[data-find]") == "jx?"
    assert page.locator("tr.row-now").count() == 0
    context.add_cookies([{"name": "ol_shortcuts", "value": "off", "url": preview_url}])
    settled(page, f"{preview_url}/en/orders")
    page.keyboard.press("j")

    assert page.locator("tr.row-now").count() == 0


def test_row_menu_fills_in_the_row_when_opened(context: BrowserContext, preview_url: str) -> None:
    page = context.new_page()
    settled(page, f"{preview_url}/en/orders")

    page.hover("tbody tr:nth-child(3)")
    page.click("tbody tr:nth-child(3) .more")

    assert page.locator("#row-menu a").first.get_attribute("href") == "/en/order?pk=0199-0002"


def test_copy_button_puts_the_number_on_the_clipboard_when_pressed(context: BrowserContext, preview_url: str) -> None:
    page = context.new_page()
    settled(page, f"{preview_url}/zh/order")

    page.click(".origin .copy")
    page.wait_for_selector(".copied")

    assert page.evaluate("navigator.clipboard.readText()") == "3938201120384"


def test_theme_and_density_change_at_once_and_stay_when_chosen(context: BrowserContext, preview_url: str) -> None:
    page = context.new_page()
    settled(page, f"{preview_url}/en/home")

    page.click(".user summary")
    page.click("button[name=theme][value=dark]")
    page.click(".user button[name=density][value=compact]")
    settled(page, f"{preview_url}/en/order")

    assert page.evaluate("({...document.documentElement.dataset})") == {
        "bsTheme": "dark", "theme": "dark", "density": "compact", "sidebar": "open", "shortcuts": "on",
    }  # fmt: skip


def test_system_theme_is_dark_before_paint_when_the_system_is_dark(browser: Browser, preview_url: str) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()

    settled(page, f"{preview_url}/en/home")
    painted = page.evaluate("getComputedStyle(document.body).backgroundColor")
    context.close()

    assert painted == "rgb(18, 23, 30)"


def test_form_says_that_it_is_not_saved_when_a_field_changes(context: BrowserContext, preview_url: str) -> None:
    page = context.new_page()
    settled(page, f"{preview_url}/en/form")

    assert page.locator("[data-guard-state]").is_visible() is False
    page.fill("#code", "TEA-1")

    assert page.locator("[data-guard-state]").is_visible() is True


def test_columns_can_be_moved_without_dragging_when_the_chooser_is_open(context: BrowserContext, preview_url: str) -> None:
    page = context.new_page()
    settled(page, f"{preview_url}/en/orders")

    page.click("summary:has(.i-columns-3)")
    page.click(".pick-it:first-child [data-nudge=moveDown]")

    assert page.locator(".pick-it input").evaluate_all("boxes => boxes.slice(0, 2).map((box) => box.value)") == ["c1", "c0"]


def test_pages_offer_their_work_when_scripts_are_off(browser: Browser, preview_url: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{preview_url}/en/orders")

    page.click("summary:has(.i-filter)")
    page.locator("tbody .c-pick input").first.check()

    assert page.locator(".filter-panel").is_hidden() is True
    assert page.locator(".bulk button[value=release]").is_visible() is True
    context.close()
