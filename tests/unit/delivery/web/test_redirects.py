"""Addresses that a page may send people to."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_appbuilder.utils import base as fab_base

from core.delivery.web.redirects import is_safe_path, login_address, replace_fab_check, safe_path


@pytest.mark.parametrize("target", ["/", "/t/tea/", "/t/tea/orders/list/?q=a%2Fb&x=//y", "/a b", "/茶", "/x#part", "/a/"])
def test_path_of_this_site_is_safe(target):
    assert is_safe_path(target) is True


@pytest.mark.parametrize(
    "target",
    [
        "",
        "x",
        "//x",
        "///x",
        "/\\x",
        "\\\\x",
        "http://x",
        "javascript:1",
        "/\tx",
        "/\r\nx",
        "/a//b",
        "/./x",
        "/../x",
        "/a/../b",
        "/%2e%2e/x",
        "/%2fx",
        "/%5Cx",
        "/a%0d%0ab",
        "/\u2028x",
        "/\u3000x",
        "/" + "x" * 2000,
    ],
)
def test_anything_else_is_not(target):
    assert is_safe_path(target) is False


def test_fab_uses_our_check_once_it_is_replaced(monkeypatch):
    monkeypatch.setattr(fab_base, "is_safe_redirect_url", fab_base.is_safe_redirect_url)

    replace_fab_check()

    assert fab_base.is_safe_redirect_url("/\\evil.example") is False


def test_own_address_becomes_a_path():
    app = Flask("x")
    with app.test_request_context(base_url="http://orders.example.test"):
        found = [
            safe_path(target, fallback="/home")
            for target in (
                None,
                "http://orders.example.test/a?b=1",
                "http://orders.example.test.evil/a",
                "http://orders.example.test//evil",
            )
        ]

    assert found == ["/home", "/a?b=1", "/home", "/home"]


def test_login_address_leads_on_to_safe_paths_only():
    assert [login_address(target) for target in ("", "/", "/t/tea/?a=1&b", "//evil")] == [
        "/login/",
        "/login/",
        "/login/?next=/t/tea/%3Fa%3D1%26b",
        "/login/",
    ]
