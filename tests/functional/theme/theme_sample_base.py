"""The frame of the two sample businesses, and small tools for the sample contexts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import url_for
from markupsafe import Markup
from wtforms import Form

from core.delivery.web.theme.shell import Addresses, Language, Link, NavItem, NavSection, Person, Shell, TenantLink
from tests.functional.theme.theme_sample_words import WORDS

Context = dict[str, Any]
NOW = datetime.now(UTC)


def words(language: str) -> Any:
    """The sample's words in one language."""
    return WORDS[language]


class SampleForm(Form):
    def hidden_tag(self) -> Markup:
        return Markup("")


def make_form(**fields: Any) -> type[SampleForm]:
    return type("SampleForm", (SampleForm,), fields)


def page_url(language: str, page: str) -> str:
    return url_for("page", language=language, page=page)


def bit_url(language: str, fragment: str) -> str:
    return url_for("fragment", language=language, fragment=fragment)


def shell_for(language: str, page: str = "") -> Shell:
    """The frame of the sample business."""
    say = words(language if language in WORDS else "en")
    language = language if language in WORDS else "en"
    tongues = tuple(Language(code, name, f"/{code}/{page or 'home'}", code == language) for code, name in (("en", "English"), ("zh", "简体中文")))
    if page in {"login", "tenants", "password", "invitation", "oauth"}:
        return Shell(languages=tongues)
    sections = []
    for title, items in say.nav:
        made = []
        for label, icon, target, count in items:
            views = tuple(Link(view, page_url(language, "orders"), "bookmark") for view in say.views) if target == "orders" else ()
            made.append(NavItem(label, page_url(language, target), icon, target == page, count, views=views))
        sections.append(NavSection(title, tuple(made)))
    tenants = tuple(TenantLink(name, f"t{i}", "#", i + 1) for i, name in enumerate(say.tenants))
    return Shell(
        tenant=TenantLink(say.tenants[0], "t0", "#", 1, "demo"),
        tenants=tenants,
        nav=tuple(sections),
        shops=tuple(Link(name, "#", "building-store", i == 0) for i, name in enumerate(say.shops)),
        person=Person(say.me, "me@example.test", say.role, (Link(say.profile, "#", "user-circle"), Link(say.tokens, "#", "key")), "#"),
        languages=tongues,
        urls=Addresses(
            home=page_url(language, "home"), search=bit_url(language, "palette"), bell=bit_url(language, "bell"),
            notifications=page_url(language, "notifications"), jobs=page_url(language, "jobs"), help="#",
        ),
        unread=5,
        jobs_running=2,
        jumps=(("o", say.orders, page_url(language, "orders")), ("h", say.home, page_url(language, "home"))),
        version="0.1.0",
    )
