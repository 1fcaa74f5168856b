"""The configuration that the web application is built with."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.schema import Settings
from core.delivery.web.factory import WebParts, flask_config
from core.runtime.security import passwords
from tests.factories.security import make_rights


@pytest.fixture(autouse=True)
def _cheap(monkeypatch):
    monkeypatch.setattr(passwords, "HASH_METHOD", "scrypt:1024:1:1")
    passwords.fake_hash.cache_clear()
    yield
    passwords.fake_hash.cache_clear()


def _config(**values):
    return flask_config(Settings(secret_key="k" * 40, **values), WebParts(rights=make_rights()))


def test_cookie_is_bound_to_https_and_host_when_cookies_are_secure():
    config = _config(cookie_secure=True)

    assert (config["SESSION_COOKIE_NAME"], config["SESSION_COOKIE_SECURE"], config["SESSION_COOKIE_PATH"]) == ("__Host-session", True, "/")
    assert (config["SESSION_COOKIE_HTTPONLY"], config["SESSION_COOKIE_SAMESITE"]) == (True, "Lax")


def test_sessions_last_twelve_hours_and_idle_one_by_default():
    assert _config()["PERMANENT_SESSION_LIFETIME"] == timedelta(hours=12)
    assert Settings().session_idle_s == 3600


@pytest.mark.parametrize(
    ("queue_url", "address", "is_on"),
    [
        ("", "memory://", False),
        ("redis://queue:6379/0", "redis://queue:6379/0", True),
        ("unix://:pw@/run/valkey.sock?db=0", "redis+unix://:pw@/run/valkey.sock?db=0", True),
    ],
)
def test_limits_are_kept_in_valkey_however_it_is_reached(queue_url, address, is_on):
    config = _config(queue_url=queue_url)

    assert (config["RATELIMIT_STORAGE_URI"], config["RATELIMIT_ENABLED"]) == (address, is_on)


def test_fab_makes_no_tables_no_users_and_shows_no_internals():
    config = _config()

    off = ["FAB_CREATE_DB", "FAB_UPDATE_PERMS", "FAB_ADD_SECURITY_VIEWS", "FAB_ADD_SECURITY_API", "FAB_ADD_OPENAPI_VIEWS", "FAB_API_SWAGGER_UI"]
    off += ["FAB_API_SHOW_STACKTRACE", "FAB_ALLOW_GET_UNSAFE_MUTATIONS", "AUTH_USER_REGISTRATION", "FAB_ADD_MENU_API"]
    assert {name: config[name] for name in off} == dict.fromkeys(off, False)
    assert config["AUTH_DB_FAKE_PASSWORD_HASH_CHECK"].startswith("scrypt:1024:1:1$")


def test_any_host_is_taken_only_when_none_is_named():
    assert (_config()["TRUSTED_HOSTS"], _config(trusted_hosts=("a.example",))["TRUSTED_HOSTS"]) == (None, ["a.example"])
