"""Plugins speak the reader's language: their READMEs, and what the catalogue says of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.runtime.plugin_host.errors import ManifestInvalid
from core.runtime.plugin_host.manifest import manifest_from

PLUGINS = Path(__file__).parents[3] / "plugins"
BUILT_IN = ("taobao", "jd", "notify_inapp", "outbound_webhooks", "demo_data")
RAW = {"id": "toy", "version": "0.1.0", "title": "Toy", "core": ">=0.1,<0.2"}


@pytest.mark.database
@pytest.mark.parametrize("plugin", BUILT_IN)
def test_readme_is_shown_in_the_readers_language(floor, plugin):
    browser = floor.visitor("owner@tea.example")
    heads = [(PLUGINS / plugin / name).read_text(encoding="utf-8").split("\n", 1)[0].removeprefix("# ") for name in ("README.md", "README.zh.md")]

    english = browser.get(f"/t/tea/plugins/{plugin}/").text
    browser.get("/lang/zh")
    chinese = browser.get(f"/t/tea/plugins/{plugin}/").text

    assert (f"<h1>{heads[0]}</h1>" in english, f"<h1>{heads[1]}</h1>" in chinese) == (True, True)
    assert f"<h1>{heads[0]}</h1>" not in chinese


@pytest.mark.database
def test_catalogue_says_what_the_manifest_has_for_the_language(floor, monkeypatch):
    package = floor.system.plugins.host.packages["jd"]
    words = manifest_from({**RAW, "localized": {"zh": {"title": "玩具", "summary": "只是试试。"}}}).localized
    monkeypatch.setitem(floor.system.plugins.host.packages, "jd", replace(package, manifest=replace(package.manifest, localized=words)))
    browser = floor.visitor("owner@tea.example")

    english = browser.get("/t/tea/plugins/").text
    browser.get("/lang/zh")
    chinese = browser.get("/t/tea/plugins/").text

    assert ("玩具" in english, ">玩具</a>" in chinese, "只是试试。" in chinese) == (False, True, True)


@pytest.mark.parametrize("wrong", ["zh", {"zh": "Toy"}, {"zh": {"name": "x"}}, {"zh": {"title": " "}}, {"Chinese": {"title": "x"}}])
def test_manifest_is_refused_when_its_languages_are_no_tables(wrong):
    with pytest.raises(ManifestInvalid):
        manifest_from({**RAW, "localized": wrong})


@pytest.mark.database
def test_form_says_what_is_missing_in_the_readers_language(floor):
    browser = floor.visitor("owner@tea.example")
    browser.get("/lang/zh")

    page = browser.post("/t/tea/plugins/taobao/save", {}, page="/t/tea/account/")

    assert page.status_code == 422
    assert ("必填。" in page.text, "Missing data" in page.text) == (True, False)
