"""The two journeys of the product in a real browser, in both languages: an admin connects a Taobao shop, staff send its orders on their way.

Pages come from a threaded server around the composed application; what workers would do is carried out between the steps, so nothing waits
for a clock. The marketplace is the simulator, spoken to by its wire protocol.
"""

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

from core.domain.channels.models import Push
from core.domain.fulfilment.models import Carrier
from core.domain.orders.intake import accept
from core.domain.orders.models import Order
from core.runtime.plugin_host.packages import record_packages
from core.runtime.tenancy.scope import Scope
from plugins.taobao.simulator import Credentials, Simulator
from tests.factories.orders import line, make_carrier, make_shop, make_sku, make_warehouse, order, stock_up
from tests.fixtures.floor import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.database, pytest.mark.timeout(240)]
CODES = [
    "TEA-LJ-50", "TEA-LJ-100", "TEA-LJ-250", "TEA-BLC-100", "TEA-BLC-250", "TEA-TGY-125", "TEA-TGY-250", "TEA-DHP-100", "TEA-DHP-200",
    "TEA-PE-100", "TEA-PE-357", "TEA-BHYZ-50", "TEA-JM-100", "TEA-JM-250", "TEA-JJM-50", "WARE-GW-WHITE", "WARE-GW-BLUE", "WARE-POT-180",
    "WARE-MAT-30", "WARE-MAT-60", "TEA-SAMPLE-10", "GIFT-BOX-RED",
]  # fmt: skip
ORDERS = 40
BOSS = "boss@shops.example"
KEYS = Credentials("journey-key", "journey-secret-123456", "journey-session-123456")


@dataclass(frozen=True)
class Words:
    """What a journey reads on the pages of one language."""

    locale: str
    slug: str
    plugin: str
    works: str
    live: str
    asked: str
    on_hold: str
    hold: str
    release: str
    ship: str
    shipped: str
    stuck: str


ENGLISH = Words(
    "en", "tea", "Taobao", "Works", "The settings are live.", "Asked for. New orders arrive in a moment.", "Someone put the order on hold.",
    "Hold", "Release hold", "Ship", "Shipped", "A line is not matched to any of your SKUs.",
)  # fmt: skip
CHINESE = Words(
    "zh", "gift", "淘宝", "连接正常", "设置已生效。", "已提交，新订单稍后到达。", "订单被人工挂起。",
    "挂起", "解除挂起", "发货", "已发货", "有商品未匹配到 SKU。",
)  # fmt: skip


class QuietHandler(WSGIRequestHandler):
    """Keeps the test's output free of request lines."""

    def log(self, _type: str, message: str, *args: Any) -> None:
        """Drop the line."""


@dataclass
class Desk:
    """One person's browser at the running site, and what the browser complained about."""

    page: Page
    base: str
    words: Words
    heard: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.page.goto(f"{self.base}/t/{self.words.slug}/{path}")

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

    def choose(self, name: str, text: str) -> None:
        """Choose in a picker that asks the server, as a person does: open, type, take the first."""
        box = self.page.locator(f"select[name='{name}'] + .ts-wrapper input, select[name='{name}'] ~ .ts-wrapper input").first
        box.click()
        box.fill(text)
        self.page.locator(".ts-dropdown .option").first.click()


@pytest.fixture(scope="module")
def site(floor) -> Iterator[str]:
    """The address of the running application, with one owner of both shops."""
    with floor.world.database.platform() as session:
        record_packages(session, floor.system.plugins.host)
    floor.member(floor.world.tea, BOSS, "owner")
    floor.member(floor.world.gift, BOSS, "owner")
    for scope in (floor.world.tea, floor.world.gift):
        with floor.world.database.unit(scope) as session:
            house = make_warehouse(session)
            for code in CODES:
                stock_up(session, make_sku(session, code), house, 1000)
            make_carrier(session, "sf")
    server = make_server("127.0.0.1", 0, floor.app, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture(scope="module", params=[ENGLISH, CHINESE], ids=["en", "zh"])
def words(request) -> Words:
    return request.param


@pytest.fixture(scope="module")
def simulator(words) -> Iterator[Simulator]:
    with Simulator(KEYS, orders=ORDERS, seed=11) as running:
        yield running


@pytest.fixture
def desk(site, browser, words) -> Iterator[Desk]:
    """A fresh browser profile; whatever it complains about fails the test: console, scripts, CSP, other hosts."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": "ol_lang", "value": words.locale, "url": site}])
    page = context.new_page()
    made = Desk(page, site, words)
    page.on("console", lambda message: made.heard.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: made.heard.append(str(error)))
    page.on("request", lambda request: made.heard.append(request.url) if not request.url.startswith((site, "data:")) else None)
    yield made
    context.close()


def scope_of(floor, words: Words) -> Scope:
    return floor.world.tea if words.slug == "tea" else floor.world.gift


def test_admin_connects_a_shop_and_sees_its_orders_come(floor, desk, simulator, words):
    page = desk.page
    desk.sign_in(BOSS)
    desk.page.goto(f"{desk.base}/t/{'gift' if words.slug == 'tea' else 'tea'}/")
    page.click(".tenant summary")
    page.locator(f".tenant a[href*='/t/{words.slug}']").first.click()
    page.wait_for_url(f"**/t/{words.slug}/**")

    desk.open("plugins/")
    page.get_by_role("link", name=words.plugin, exact=True).first.click()
    page.locator("a[href*='tab=setup']").first.click()
    for name, value in (
        ("app_key", KEYS.app_key), ("app_secret", KEYS.secret), ("session", KEYS.session), ("gateway", simulator.url),
    ):  # fmt: skip
        page.fill(f"[name={name}]", value)
    page.click("button[value=test]")
    expect(page.locator("#test-result")).to_contain_text(words.works)
    page.reload()
    desk.send(page.locator("form[action$='/activate'] button").first)
    expect(page.locator("body")).to_contain_text(words.live)
    desk.send(page.get_by_role("switch", name=words.plugin))
    expect(page.get_by_role("switch", name=words.plugin)).to_have_attribute("aria-checked", "true")

    desk.open("sync/")
    desk.send(page.locator("form[action$='/now'] button"))
    expect(page.locator("body")).to_contain_text(words.asked)
    floor.system.plugins.enablement.forget()
    floor.settle(scope_of(floor, words))
    desk.open("orders/list/?queue=all")

    expect(page.locator(".tab-n").first).to_have_text(str(ORDERS))
    assert desk.heard == []


def test_staff_find_a_stuck_order_cure_it_and_ship_two(floor, desk, words):
    scope, page = scope_of(floor, words), desk.page
    with floor.world.database.unit(scope) as session:
        ready = select(Order).where(Order.state == "approved", Order.hold_count == 0).order_by(Order.number).limit(2)
        first, second = [(order.id, order.number, order.external_id) for order in session.scalars(ready)]
        carrier = session.scalars(select(Carrier.code)).one()
    desk.sign_in(BOSS)

    desk.open("orders/list/")
    page.fill("input[name=q]", first[2])
    page.press("input[name=q]", "Enter")
    page.get_by_role("link", name=first[1]).first.click()
    desk.send(page.get_by_role("button", name=words.hold, exact=True).first)
    page.fill("[name='p.reason']", "gift wrap is missing")
    desk.send(page.locator("form.form button[type=submit]"))
    desk.open(f"orders/show/{first[0]}")
    expect(page.locator("body")).to_contain_text(words.on_hold)
    expect(page.locator("body")).to_contain_text("gift wrap is missing")
    desk.send(page.get_by_role("button", name=words.release, exact=True).last)
    floor.settle(scope)
    desk.open(f"orders/show/{first[0]}")
    expect(page.locator("body")).not_to_contain_text(words.on_hold)

    desk.open("orders/list/?queue=to_ship")
    for one in (first, second):
        page.check(f"input[type=checkbox][value='{one[0]}']")
    chosen = page.eval_on_selector_all("tbody input[type=checkbox]:checked", "boxes => boxes.map(box => box.value)")
    desk.send(page.locator("button[name=action][value=ship]").first)
    desk.choose("p.carrier_id", carrier)
    page.fill("[name='p.tracking_numbers']", "SF1000000001\nSF1000000002")
    desk.send(page.locator("form.form button[type=submit]"))
    page.wait_for_url(re.compile("orders/list"))
    floor.settle(scope)

    with floor.world.database.unit(scope) as session:
        pushes = session.execute(select(Push.order_id, Push.state).where(Push.order_id.in_([first[0], second[0]]))).all()
    assert sorted(pushes) == sorted([(first[0], "accepted"), (second[0], "accepted")])
    assert sorted(chosen) == sorted([str(first[0]), str(second[0])])
    desk.open(f"orders/show/{first[0]}")
    expect(page.locator("body")).to_contain_text(words.shipped)
    expect(page.locator("body")).to_contain_text("SF100000000")
    assert desk.heard == []


def test_staff_read_why_an_order_is_stuck(floor, desk, words):
    scope, page = scope_of(floor, words), desk.page
    with floor.world.database.unit(scope) as session:
        nobodys = order("STUCK-1", line(code="NOBODY-KNOWS"), modified_at=datetime.now(UTC), placed_at=datetime.now(UTC))
        accept(session, make_shop(session, "STUCK"), [nobodys], now=datetime.now(UTC))
    floor.settle(scope)
    with floor.world.database.unit(scope) as session:
        stuck = session.scalars(select(Order).where(Order.external_id == "STUCK-1")).one()
    assert stuck.hold_code == "sku_unmatched"
    desk.sign_in(BOSS)

    desk.open("orders/list/?queue=exceptions")
    page.get_by_role("link", name=stuck.number).first.click()

    expect(page.locator("body")).to_contain_text(words.stuck)
    assert desk.heard == []
