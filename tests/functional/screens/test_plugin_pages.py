"""The plugin catalogue and the sync page answer, and a reader may look but not touch."""

from __future__ import annotations

import time

import pytest

from core.delivery.plugin_pages import BELL
from core.delivery.web.theme.assets import STATIC
from core.runtime.plugin_host.lifecycle import disable, enable

pytestmark = pytest.mark.database


@pytest.mark.parametrize("path", ["/plugins/", "/plugins/taobao/", "/plugins/taobao/?tab=activity", "/plugins/taobao/?tab=permissions", "/sync/"])
def test_page_answers(floor, path):
    page = floor.visitor("owner@tea.example").get(f"/t/tea{path}")

    assert page.status_code == 200, page.text[:3000]


def test_unknown_plugin_is_not_found(floor):
    page = floor.visitor("owner@tea.example").get("/t/tea/plugins/nosuch/")

    assert page.status_code == 404


def test_pages_open_at_once_when_another_process_has_just_switched_the_plugin_on(floor):
    owner, plugins = floor.visitor("owner@tea.example"), floor.system.plugins

    before = owner.get("/t/tea/webhooks/").status_code
    with floor.world.database.unit(floor.world.tea) as session:  # what this process remembers of the tenant is not touched
        enable(session, plugins, "outbound_webhooks")
    after = owner.get("/t/tea/webhooks/").status_code
    with floor.world.database.unit(floor.world.tea) as session:
        disable(session, plugins, "outbound_webhooks")

    assert (before, after, owner.get("/t/tea/webhooks/").status_code) == (404, 200, 404)


@pytest.fixture
def bell(floor):
    """A way to spoil the bell of the tea shop's frame."""
    runtime = floor.system.plugins
    with floor.world.database.unit(floor.world.tea) as session:
        enable(session, runtime, "notify_inapp")
    runtime.enablement.forget()
    item = next(iter(runtime.host.registry.items("bell", floor.world.tea.tenant_id))).item
    sound = item.unread

    def spoil(function):
        object.__setattr__(item, "unread", function)
        floor.app.extensions[BELL].forget()

    yield spoil
    spoil(sound)
    runtime.breakers.forget()


def _raise(_ctx, _user):
    raise LookupError("hunter2")


@pytest.mark.parametrize("spoilt", [_raise, lambda _ctx, _user: time.sleep(3), lambda _ctx, _user: "many<script>", lambda _ctx, _user: None])
def test_page_stands_without_the_bell_when_the_bell_misbehaves(floor, bell, spoilt):
    owner = floor.visitor("owner@tea.example")
    sound = owner.get("/t/tea/orders/list/")

    bell(spoilt)
    began = time.monotonic()
    page = owner.get("/t/tea/orders/list/")

    assert (sound.status_code, page.status_code) == (200, 200)
    assert ("/t/tea/notifications/" in sound.text, "/t/tea/notifications/" in page.text) == (True, False)
    assert time.monotonic() - began < 2.5
    assert "hunter2" not in page.text


def test_bell_is_asked_once_for_several_pages_and_anew_after_a_deed(floor, bell):
    asked = []
    bell(lambda _ctx, user: asked.append(user) or 3)
    owner, other = floor.visitor("owner@tea.example"), floor.visitor("staff@tea.example")

    pages = [owner.get("/t/tea/orders/list/").text for _ in range(3)]
    mine = len(asked)
    other.get("/t/tea/orders/list/")
    both = len(asked)
    owner.post("/t/tea/notifications/read", page="/t/tea/account/")
    owner.get("/t/tea/orders/list/")

    assert [text.count('aria-label="Notifications, unread: 3"') for text in pages] == [1, 1, 1]
    assert (mine, both, len(set(asked)), asked[-1] == asked[0]) == (1, 2, 2, True)
    assert len(asked) > both


def test_only_the_first_page_waits_when_the_bell_hangs(floor, bell):
    bell(lambda _ctx, _user: time.sleep(30))
    owner = floor.visitor("owner@tea.example")
    owner.get("/t/tea/orders/list/")
    began = time.monotonic()

    answers = [owner.get("/t/tea/orders/list/").status_code for _ in range(3)]

    assert (answers, time.monotonic() - began < 1.5) == ([200] * 3, True)


def test_reference_is_offered_by_its_name_when_it_is_looked_up(floor):
    """The script shows what the server calls `text`."""
    answer = floor.visitor("owner@tea.example").get("/t/tea/shops/lookup?q=").json
    script = (STATIC / "js/selects.js").read_text(encoding="utf-8")

    assert {name for option in answer["options"] for name in option} <= {"value", "text"}
    assert 'labelField: "text"' in script
