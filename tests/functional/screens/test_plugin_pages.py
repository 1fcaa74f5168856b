"""The plugin catalogue and the sync page answer, and a reader may look but not touch."""

from __future__ import annotations

import pytest

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
