"""In a real browser: an admin adds a webhook, tries it and reads its log; when its receiver gives up, the bell says so and leads back."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from core.runtime.plugin_host.lifecycle import enable
from tests.fixtures.floor import PASSWORD
from tests.plugins.outbound_webhooks.conftest import Receiver
from tests.scenarios.test_journeys import QuietHandler

pytestmark = [pytest.mark.browser, pytest.mark.database, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def site(floor) -> Iterator[str]:
    """The address of the running application, with both plugins on in the tea shop."""
    with floor.world.database.unit(floor.world.tea) as session:
        for plugin in ("notify_inapp", "outbound_webhooks"):
            enable(session, floor.system.plugins, plugin)
    floor.system.plugins.enablement.forget()
    server = make_server("127.0.0.1", 0, floor.app, threaded=True, request_handler=QuietHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A browser page that fails the test when the browser complains."""
    heard: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    page = context.new_page()
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert heard == []


def test_webhook_is_added_tried_and_given_up_and_the_bell_tells(floor, site, page):
    receiver = Receiver(usual=410, answers=[204])
    page.goto(f"{site}/login/")
    page.fill("input[name=username]", "owner@tea.example")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    page.goto(f"{site}/lang/en")

    page.goto(f"{site}/t/tea/webhooks/")
    page.get_by_role("link", name="New webhook").first.click()
    page.fill("input[name=name]", "ERP")
    page.fill("input[name=url]", receiver.url("/orders?key=hidden"))
    for kind in ("Everything about orders", "A SKU fell to its alert level"):
        box = page.locator(".ts-wrapper input")
        box.click()
        box.fill(kind)
        page.locator(".ts-dropdown .option").first.click()
    page.get_by_role("button", name="Save").click()
    secret = page.locator(".token-new span").inner_text()
    page.get_by_role("button", name="Send test event").click()
    floor.settle(floor.world.tea)
    page.reload()
    page.locator("details.attempt summary").first.click()
    expect(page.locator("details.attempt").first).to_contain_text("webhook.test")
    expect(page.locator("details.attempt").first).to_contain_text("204")
    page.get_by_role("button", name="Send test event").click()
    floor.settle(floor.world.tea)
    page.reload()
    expect(page.locator("h1 ~ .head-states")).to_contain_text("Paused: the receiver is gone")
    page.goto(f"{site}/t/tea/webhooks/")
    page.locator("details.bell summary").click()
    news = page.locator(".bell-panel .news-it").first
    expect(news).to_contain_text("The webhook ERP is paused, because its receiver fails")
    news.click()
    page.wait_for_url(lambda url: "/webhooks/" in url)
    expect(page.locator("h1")).to_have_text("ERP")
    page.goto(f"{site}/t/tea/notifications/")
    page.goto(f"{site}/t/tea/notifications/settings")
    receiver.stop()

    assert secret.startswith("whsec_")
    assert [(call.event["kind"], call.is_signed_by(secret)) for call in receiver.calls] == [("webhook.test", True)] * 2
