"""The pages for accounts and access in Chinese."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from core.delivery.web.screens.base import TRANSLATIONS

pytestmark = pytest.mark.database
CATALOGUE = TRANSLATIONS / "zh" / "LC_MESSAGES"


def test_compiled_catalogue_is_that_of_the_source():
    with Path(CATALOGUE / "messages.po").open("rb") as source, Path(CATALOGUE / "messages.mo").open("rb") as compiled:
        written = {message.id: message.string for message in read_po(source) if message.id}
        built = {message.id: message.string for message in read_mo(compiled) if message.id}

    assert built == written
    assert [text for text, translated in written.items() if not translated] == []


def test_pages_speak_chinese_without_english_left_over(site):
    site.member("zh@tea.example", ["owner"], name="陈伟")
    browser = site.browser("zh@tea.example")
    browser.get("/lang/zh")
    pages = ["members/", "roles/", "roles/add", "tokens/", "account/", "account/password"]
    keys, permissions_of_this_test = {"Ctrl", "Enter", "Space"}, {"Change", "Reveal"}
    given = keys | permissions_of_this_test | {"Chen", "Orderloom", "English", "Werkzeug"}

    left = {}
    for page in pages:
        text = browser.get(f"/t/tea/{page}").text
        text = re.sub(r"<(script|style|template|select|code)\b.*?</\1>|<[^>]+>|&[a-z#0-9]+;", " ", text, flags=re.DOTALL)
        words = set(re.findall(r"\b[A-Z][a-z]{3,}\b", text)) - given
        left[page] = words

    assert left == {page: set() for page in pages}


def test_refusals_speak_chinese(site):
    site.member("zh-refused@tea.example", ["owner"], name="陈伟")
    browser = site.browser("zh-refused@tea.example")
    browser.get("/lang/zh")
    form = {"current": "wrong-wrong-wrong", "password": "brass-kettle-hums-92", "again": "brass-kettle-hums-92"}

    page = browser.post("/account/password", form, page="/account/password")
    problem = browser.client.post("/t/tea/api/v1/probe/", base_url=browser.base, headers={"Accept-Language": "zh"})

    assert "当前密码不正确。" in page.text
    assert problem.json["title"].startswith("页面打开时间过长")
