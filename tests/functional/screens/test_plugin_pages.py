"""The plugin catalogue and the sync page answer, and a reader may look but not touch."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.database


@pytest.mark.parametrize("path", ["/plugins/", "/plugins/taobao/", "/plugins/taobao/?tab=activity", "/plugins/taobao/?tab=permissions", "/sync/"])
def test_page_answers(floor, path):
    page = floor.visitor("owner@tea.example").get(f"/t/tea{path}")

    assert page.status_code == 200, page.text[:3000]


def test_unknown_plugin_is_not_found(floor):
    page = floor.visitor("owner@tea.example").get("/t/tea/plugins/nosuch/")

    assert page.status_code == 404
