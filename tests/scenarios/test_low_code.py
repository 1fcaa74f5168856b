"""An admin who starts from nothing builds supplier complaints in a browser; staff who may not shape anything work with them at once."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler, make_server

from core.domain.orders.intake import accept
from core.domain.orders.models import Order
from core.runtime.plugin_host.packages import record_packages
from tests.factories.orders import line, make_shop, make_sku, order
from tests.fixtures.floor import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.database, pytest.mark.timeout(240)]
ADMIN, STAFF = "owner@tea.example", "quality@tea.example"


class QuietHandler(WSGIRequestHandler):
    """Keeps the test's output free of request lines."""

    def log(self, _type: str, message: str, *args: Any) -> None:
        """Drop the line."""


@dataclass
class Desk:
    """One person's browser at the running site, and what the browser complained about."""

    page: Page
    base: str
    heard: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.page.goto(f"{self.base}/t/tea/{path}")

    def sign_in(self, email: str) -> None:
        self.page.goto(f"{self.base}/login/")
        self.page.fill("input[name=username]", email)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.press("input[name=password]", "Enter")
        self.page.wait_for_url(lambda url: "/login" not in url)

    def send(self, control: Locator) -> None:
        """Press a button and wait for the page that answers."""
        with self.page.expect_navigation():
            control.click()

    def save(self) -> None:
        self.send(self.page.locator(".form-end .btn-primary"))

    def pick(self, name: str, text: str) -> None:
        """Choose in a picker, as a person does: open, type, take the first."""
        box = self.page.locator(f"select[name='{name}'] ~ .ts-wrapper input").first
        box.click()
        box.fill(text)
        self.page.locator(".ts-dropdown .option", has_text=text).first.click()

    def add_field(self, kind: str, label: str) -> None:
        """The two steps of a new field: its type, then what it is called."""
        self.send(self.page.get_by_role("link", name="Add a field"))
        self.send(self.page.locator(f"a.type[href$='type={kind}']"))
        self.page.fill("[name=label]", label)


@pytest.fixture(scope="module")
def number(floor) -> str:
    """The number of an order from a shop."""
    with floor.world.database.platform() as session:
        record_packages(session, floor.system.plugins.host)
    with floor.world.database.unit(floor.world.tea) as session:
        shop = make_shop(session)
        make_sku(session, "TEA-100")
        accept(session, shop, [order("SUP-1", line("1"))], now=datetime.now(UTC))
        return session.scalars(select(Order.number)).one()


@pytest.fixture(scope="module")
def site(floor, number) -> Iterator[str]:
    """The address of the running application."""
    server = make_server("127.0.0.1", 0, floor.app, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def desk(site, browser) -> Iterator[Desk]:
    """A fresh browser profile; whatever it complains about fails the test: console, scripts, CSP, other hosts."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.add_cookies([{"name": "ol_lang", "value": "en", "url": site}])
    page = context.new_page()
    made = Desk(page, site)
    page.on("console", lambda message: made.heard.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: made.heard.append(str(error)))
    page.on("request", lambda request: made.heard.append(request.url) if not request.url.startswith((site, "data:")) else None)
    yield made
    context.close()


def build_complaints(desk: Desk) -> None:
    """The kind of record with its number, subject, state, order, cost and solution."""
    page = desk.page
    desk.open("")
    page.locator("summary", has_text="Settings").click()
    desk.send(page.get_by_role("link", name="Fields and records"))
    desk.send(page.get_by_role("link", name="New kind of record").first)
    page.fill("[name=label]", "Complaint")
    expect(page.locator("[name=key]")).to_have_value("complaint")
    page.fill("[name=label_plural]", "Supplier complaints")
    page.get_by_label("It gets the next number of a sequence").check()
    page.fill("[name=series]", "SC-{yyyy}-{n:4}")
    expect(page.locator("#series-say")).to_contain_text("-0042")
    page.get_by_title("alert-triangle").click()
    desk.save()

    desk.add_field("text", "Subject")
    page.get_by_label("Has to be filled in").check()
    desk.save()
    desk.add_field("choice", "State")
    for at, (label, colour) in enumerate((("Solved", "ok"), ("Open", "warn"))):
        page.locator("[name='choices.label']").nth(at).fill(label)
        page.locator("[name='choices.kind']").nth(at).select_option(colour)
    page.get_by_role("button", name="Move choice 2 up").click()
    page.fill("[name=default]", "open")
    desk.save()
    desk.add_field("reference", "Order")
    page.fill("[name=key]", "order_id")
    desk.pick("target", "Orders")
    desk.save()
    desk.add_field("money", "Cost")
    page.fill("[name=currency]", "CNY")
    desk.save()
    desk.add_field("long_text", "Solution")
    page.get_by_text("Conditions").click()
    for name in ("visible_if", "required_if"):
        page.fill(f"[name={name}]", '{"field": "state", "op": "eq", "value": "solved"}')
        expect(page.locator(f"[id={name}-say]")).to_contain_text("State is Solved")
    desk.save()


def build_table(desk: Desk) -> None:
    """The child table: what was wrong, bag by bag."""
    page = desk.page
    desk.open("customise/new?parent=custom.complaint")
    page.fill("[name=label]", "Fault")
    page.fill("[name=naming]", "What was wrong")
    expect(page.locator("[name=key]")).to_have_value("fault")
    page.locator("[name=menu]").select_option("")
    desk.save()


def arrange(desk: Desk) -> None:
    """A layout with two tabs, made with keyboard and mouse."""
    page = desk.page
    desk.open("customise/custom.complaint/layouts/everybody")
    page.locator("#do-tab-add").press("Enter")
    expect(page.locator("#t1-title")).to_be_visible()
    page.fill("#t0-title", "What happened")
    page.fill("#t1-title", "Order and money")
    page.locator("#do-out-cost").press("Enter")
    page.locator("#do-in-cost").press("Enter")
    expect(page.locator("[data-drop='1.0'] [data-key=cost]")).to_be_visible()
    page.locator("#chip-order_id [data-grip]").drag_to(page.locator("[data-drop='1.0']"))
    expect(page.locator("[data-drop='1.0'] [data-key=order_id]")).to_be_visible()
    expect(page.locator(".d-preview")).to_contain_text("Order and money")
    desk.send(page.locator("#do-save"))


def allow(floor, desk: Desk) -> None:
    """A role that may work with complaints, and somebody who has it."""
    page = desk.page
    desk.open("roles/add")
    page.fill("[name=title]", "Quality")
    page.fill("[name=code]", "quality")
    desk.save()
    column = page.locator("thead th", has_text="Quality").evaluate("cell => cell.cellIndex")
    for row in ("Supplier complaints", "Fault"):
        group = page.locator("tr.group", has_text=row).first
        for at in range(1, 4):
            group.locator(f"xpath=following-sibling::tr[{at}]").locator("th, td").nth(column).locator("input").check()
    desk.save()
    floor.member(floor.world.tea, STAFF, "staff", "quality")


def test_admin_builds_supplier_complaints_and_staff_work_with_them(floor, desk, number):
    page = desk.page
    desk.sign_in(ADMIN)
    build_complaints(desk)
    build_table(desk)
    arrange(desk)
    allow(floor, desk)

    page.context.clear_cookies(name=re.compile("^(?!ol_lang)"))
    desk.sign_in(STAFF)
    desk.open("")
    desk.send(page.get_by_role("link", name="Supplier complaints").first)
    desk.send(page.get_by_role("link", name="Add complaint").first)
    assert page.get_by_role("tab").all_inner_texts() == ["What happened", "Order and money"]
    page.fill("[name=subject]", "Damp tea")
    expect(page.locator("[name=solution]")).to_be_hidden()
    page.locator("[name=state]").select_option("solved")
    expect(page.locator("[name=solution]")).to_be_visible()
    page.fill("[name=solution]", "Money back")
    page.get_by_role("tab", name="Order and money").click()
    page.fill("[name=cost]", "88.50")
    desk.pick("order_id", number)
    desk.save()

    expect(page.locator("h1")).to_have_text(re.compile(r"SC-\d{4}-0001"))
    record = page.url
    desk.send(page.locator("a[href*='/records/fault/add']"))
    page.fill("[name=what_was_wrong]", "Bag 7 is wet")
    desk.save()
    assert page.url == record
    expect(page.locator("body")).to_contain_text("Bag 7 is wet")

    desk.open("records/complaint/list/")
    page.fill("[data-find]", "damp")
    page.press("[data-find]", "Enter")
    expect(page.locator("table.rows tbody tr")).to_have_count(1)
    expect(page.locator("table.rows")).to_contain_text("Damp tea")
    expect(page.locator("table.rows")).to_contain_text("Solved")
    answer = page.request.get(f"{desk.base}/t/tea/api/v1/records/complaint/")
    assert [(one["subject"], one["cost"], one["state"]) for one in answer.json()["result"]] == [("Damp tea", "88.50", "solved")]
    assert page.request.get(f"{desk.base}/t/tea/customise/new").status == 403

    desk.open("orders/list/?queue=all")
    desk.send(page.locator("table.rows tbody a").first)
    expect(page.locator("body")).to_contain_text("Supplier complaints")
    expect(page.locator("body")).to_contain_text("Damp tea")
    assert desk.heard == []
