"""The tenant in the address."""

from __future__ import annotations

import pytest

from core.delivery.web.tenant_path import SLUG, TenantPath


def _send(path, **environ):
    seen = {}

    def app(environ, start_response):
        seen.update(environ)
        return []

    started = []
    TenantPath(app)({"PATH_INFO": path, "SCRIPT_NAME": "", **environ}, lambda status, _headers: started.append(status))
    return (seen.get("SCRIPT_NAME"), seen.get("PATH_INFO"), seen.get(SLUG)), started


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("/t/tea/orders/list/", ("/t/tea", "/orders/list/", "tea")),
        ("/t/tea/", ("/t/tea", "/", "tea")),
        ("/t/tea", ("/t/tea", "/", "tea")),
        ("/t/tea-shop-2/x", ("/t/tea-shop-2", "/x", "tea-shop-2")),
        ("/t/tea/t/gift/x", ("/t/tea", "/t/gift/x", "tea")),
        ("/login/", ("", "/login/", None)),
        ("/", ("", "/", None)),
        ("/t/", ("", "/t/", None)),
        ("/t/Tea/x", ("", "/t/Tea/x", None)),
        ("/t/../login", ("", "/t/../login", None)),
        ("/t/t/x", ("", "/t/t/x", None)),
        ("/x/t/tea/", ("", "/x/t/tea/", None)),
    ],
)
def test_tenant_path_moves_the_slug_into_the_script_name(path, split):
    assert _send(path) == (split, [])


@pytest.mark.parametrize("path", ["/t/tea/a\\b", "/a\x00b", "/a\nb", "/\x7f"])
def test_tenant_path_refuses_bytes_that_no_page_needs(path):
    assert _send(path) == ((None, None, None), ["400 Bad Request"])


def test_tenant_path_ignores_a_slug_that_somebody_else_set():
    assert _send("/login/", **{SLUG: "tea"})[0] == ("", "/login/", None)


def test_tenant_path_keeps_the_prefix_of_a_proxy():
    assert _send("/t/tea/x", SCRIPT_NAME="/shop")[0] == ("/shop/t/tea", "/x", "tea")
