"""The plugin catalogue and the sync page answer, and a reader may look but not touch."""

from __future__ import annotations

import pytest

from core.delivery.web.theme.assets import STATIC

pytestmark = pytest.mark.database


@pytest.mark.parametrize("path", ["/plugins/", "/plugins/taobao/", "/plugins/taobao/?tab=activity", "/plugins/taobao/?tab=permissions", "/sync/"])
def test_page_answers(floor, path):
    page = floor.visitor("owner@tea.example").get(f"/t/tea{path}")

    assert page.status_code == 200, page.text[:3000]


def test_unknown_plugin_is_not_found(floor):
    page = floor.visitor("owner@tea.example").get("/t/tea/plugins/nosuch/")

    assert page.status_code == 404


def test_pages_of_a_plugin_open_at_once_when_it_was_switched_on(floor):
    """Rights are kept by the tenant's epoch, so they must not be made of a view of plugins that is older than that."""
    owner, runtime = floor.visitor("owner@tea.example"), floor.system.plugins
    runtime.enablement.forget(floor.world.tea.tenant_id)
    before = owner.get("/t/tea/webhooks/").status_code

    owner.post("/t/tea/plugins/outbound_webhooks/switch", {"enabled": "1"}, page="/t/tea/account/")
    at_once = owner.get("/t/tea/account/").status_code
    runtime.enablement.forget(floor.world.tea.tenant_id)  # five seconds later
    after = owner.get("/t/tea/webhooks/").status_code

    assert (before, at_once, after) == (404, 200, 200)


def test_reference_is_offered_by_its_name_when_it_is_looked_up(floor):
    """The script shows what the server calls `text`."""
    answer = floor.visitor("owner@tea.example").get("/t/tea/shops/lookup?q=").json
    script = (STATIC / "js/selects.js").read_text(encoding="utf-8")

    assert {name for option in answer["options"] for name in option} <= {"value", "text"}
    assert 'labelField: "text"' in script
