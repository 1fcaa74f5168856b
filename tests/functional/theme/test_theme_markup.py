"""What the rendered HTML must never hold, for every page and fragment of the theme and for FAB's own pages under it."""

from __future__ import annotations

import re
import warnings

import pytest
from flask.testing import FlaskClient

from tests.functional.theme.theme_fab_app import make_fab_app
from tests.functional.theme.theme_preview import LOCALES, make_app
from tests.functional.theme.theme_samples import FRAGMENTS, PAGES

FORBIDDEN = ("style=", "onclick=", "onchange=", "hx-on", "data-toggle=", "btn-default", "glyphicon", "javascript:", "googleapis")
FAB_PAGES = [
    "/", "/themeteaview/list/", "/themeteaview/list/?_flt_0_name=Tea&_oc_ThemeTeaView=name&_od_ThemeTeaView=asc", "/themeteaview/add",
    "/themeteaview/edit/1", "/themeteaview/show/1", "/thememakerview/show/1", "/thememakerview/edit/1", "/users/list/", "/users/add",
    "/users/show/1", "/roles/list/", "/roles/show/1", "/roles/edit/1", "/users/userinfo/", "/resetmypassword/form", "/swagger/v1",
    "/userstatschartview/chart/", "/userinfoeditview/form",
]  # fmt: skip


@pytest.fixture(scope="module")
def preview() -> FlaskClient:
    """The preview application."""
    return make_app().test_client()


@pytest.fixture(scope="module")
def fab() -> FlaskClient:
    """The FAB application with its administrator signed in."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = make_fab_app().test_client()
    client.post("/login/", data={"username": "admin", "password": "a-long-password"})
    return client


def faults(html: str) -> list[str]:
    """The forbidden words in a page, inline scripts, scripts without nonce and addresses of other hosts."""
    found = [word for word in FORBIDDEN if re.search(rf"<[^>]*{re.escape(word)}", html)]
    found += [tag for tag in re.findall(r"<script\b[^>]*>", html) if "nonce=" not in tag or "src=" not in tag]
    found += re.findall(r"<style\b", html)
    found += [url for url in re.findall(r'(?:src|href|action)="(https?://[^"]+)"', html) if "example.test" not in url]
    return found


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("page", PAGES)
def test_page_renders_clean_html_when_its_context_is_given(preview: FlaskClient, page: str, language: str) -> None:
    answer = preview.get(f"/{language}/{page}")

    assert answer.status_code == 200
    assert faults(answer.text) == []
    assert f'<html lang="{"zh-Hans" if language == "zh" else "en"}"' in answer.text


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_fragment_renders_without_a_frame_when_htmx_asks(preview: FlaskClient, fragment: str) -> None:
    answer = preview.get(f"/zh/x/{fragment}")

    assert answer.status_code == 200
    assert faults(answer.text) == []
    assert "<html" not in answer.text


@pytest.mark.parametrize("path", FAB_PAGES)
def test_fab_page_renders_in_our_clothes_when_it_uses_its_own_widgets(fab: FlaskClient, path: str) -> None:
    answer = fab.get(path)

    assert answer.status_code == 200
    assert faults(answer.text) == []
    assert answer.text.count('id="main"') == 1


def test_fab_list_keeps_text_escaped_when_a_cell_holds_markup(fab: FlaskClient) -> None:
    html = fab.get("/themeteaview/list/").text

    assert "Tea &lt;1&gt;" in html
    assert "Tea <1>" not in html


def test_fab_list_shows_a_removable_chip_when_a_filter_is_active(fab: FlaskClient) -> None:
    html = fab.get("/themeteaview/list/?_flt_0_name=Tea").text

    chips = re.findall(r'<span class="chip">.*?href="([^"]*)"', html)
    assert chips == ["/themeteaview/list/"]


def test_fab_action_still_runs_when_posted_from_the_bulk_bar(fab: FlaskClient) -> None:
    html = fab.get("/themeteaview/list/").text
    target = re.search(r'<form id="bulk-ThemeTeaView"[^>]*action="([^"]+)"', html)

    assert target is not None
    answer = fab.post(target.group(1), data={"action": "brew", "rowid": ["1", "2"]})
    assert answer.status_code == 302


def test_policy_allows_scripts_by_nonce_only_when_a_page_is_answered(preview: FlaskClient) -> None:
    answer = preview.get("/en/orders")

    policy = answer.headers["Content-Security-Policy"]
    nonce = re.search(r"'nonce-([^']+)'", policy)
    assert nonce is not None
    assert "unsafe" not in policy
    assert set(re.findall(r'nonce="([^"]+)"', answer.text)) == {nonce.group(1)}


def test_preferences_are_kept_when_the_form_is_posted_without_scripts() -> None:
    app = make_app()
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()

    answer = client.post("/preferences", data={"theme": "dark", "density": "compact"}, headers={"Referer": "http://localhost/en/orders?a=1"})

    assert (answer.status_code, answer.location) == (303, "/en/orders?a=1")
    assert 'data-bs-theme="dark" data-theme="dark" data-density="compact"' in client.get("/en/orders").text


def test_preferences_are_refused_when_the_value_is_unknown() -> None:
    app = make_app()
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()

    answer = client.post("/preferences", data={"theme": "pink"})

    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers
