"""`check_plugin`: a sound plugin passes, and each breach is found at its place."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from core.runtime.plugin_host import hooks
from core.runtime.plugin_host.check import check_plugin
from core.runtime.plugin_host.check.report import Subject
from core.runtime.plugin_host.check.trial import load_findings
from core.runtime.plugin_host.discovery import package_at
from core.runtime.plugin_host.kinds import kinds_of
from core.runtime.plugin_host.scaffold import FolderTaken, NameInvalid, new_plugin

HOOKS = frozenset(kind.hook for kind in kinds_of([hooks]).values())


@pytest.fixture
def plugin(bench):
    """A freshly scaffolded plugin to spoil."""
    made = new_plugin("ck_tea", bench.folder, bench.folder.parent / "tests" / "plugins")
    return made.folder


def spoil(plugin: Path, path: str, old: str, new: str) -> None:
    file = plugin / path
    text = file.read_text() if file.exists() else ""
    assert old in text
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text.replace(old, new, 1) if old else text + new)


def found(plugin: Path) -> list[str]:
    return [finding.shown(plugin) for finding in check_plugin(plugin, HOOKS).findings]


def test_scaffold_passes_and_reaches_bronze_when_new(plugin):
    report = check_plugin(plugin, HOOKS)

    assert (report.findings, report.tier, report.next_tier) == ((), "bronze", "silver")
    assert report.lacking == ("reauth", "errors_classified", "logged_once", "drains", "coverage")


@pytest.mark.parametrize(
    ("path", "old", "new", "finding"),
    [
        ("plugin.py", "def register_lifecycle", "def register_lifecycles", "plugin.py:10: hooks: there is no hook register_lifecycles; did you mean register_lifecycle?"),
        ("plugin.py", "register_subscribers()", "register_subscribers(app)", "plugin.py:16: hooks: register_subscribers takes arguments; hooks run once, at start-up, without any"),
        ("plugin.py", "@hookimpl", "@hookimpl(tryfirst=True)", "plugin.py:10: hooks: register_lifecycle sets hookimpl options; the host decides the order"),
        ("service.py", "from typing", "import core.runtime.db.base\nfrom typing", "service.py:5: imports: imports core.runtime.db.base; plugins use core.sdk only"),
        ("service.py", "from typing", "from ..other import x\nfrom typing", "service.py:5: imports: imports plugins.other; plugins do not know each other"),
        ("service.py", "from typing", "import numpy\nfrom typing", 'service.py:5: imports: imports numpy, which the manifest\'s "libraries" does not name'),
        ("service.py", "from typing", "import flask\nfrom typing", "service.py:5: imports: imports flask; the web framework belongs into views, api and forms"),
        ("service.py", "from typing", "import urllib.request\nfrom typing", "service.py:5: imports: imports urllib.request; outgoing calls go through ctx.http"),
        ("service.py", "def check(", "X = 'https://evil.example/'\n\n\ndef check(", 'service.py:10: egress: names the host evil.example, which is not in "egress"'),
        ("service.py", "return _post(ctx, {", "eval('1')\n    return _post(ctx, {", "service.py:12: danger: calls eval; plugins neither turn data into code nor start programs"),
        ("settings.py", "key = Secret(", "token = fields.String(", "settings.py:16: secrets: token looks like a secret, but is stored and shown in the clear"),
        ("settings.py", '"help": N_("Sent along', '"note": N_("Sent along', 'plugin.toml:8: settings: the required field "key" has no help text'),
        ("plugin.toml", '"settings:CkTeaSettings"', '"settings:Gone"', "plugin.toml:8: settings: settings:Gone cannot be used: AttributeError"),
        ("plugin.toml", '["address"]', '["gateway"]', 'plugin.toml:7: settings: "egress_from_settings" names gateway, which the form does not have'),
        ("plugin.toml", "locales", "tables = ['plg_ck_tea_leaf']\nlocales", 'plugin.toml:9: tables: "tables" names plg_ck_tea_leaf, which no class declares'),
        ("plugin.toml", '["en"]', '["en", "zh"]', 'plugin.toml:9: translations: "locales" names zh, which has no catalogue'),
        ("plugin.toml", "egress_from", "egres_from", 'plugin.toml:1: manifest: "egres_from_settings" is not a known key; did you mean "egress_from_settings"?'),
        ("plugin.toml", ",<1", ",<0.1", 'plugin.toml:1: manifest: "core" is <0.1,>=0.1.0, but this is 0.1.0'),
        ("plugin.toml", 'two_tenant_tests = "done"', "", "plugin.toml:11: quality: bronze lacks two_tenant_tests: done, or exempt with a reason"),
        ("plugin.toml", "simulator = {", 'simulator = "done" # {', "plugin.toml:14: quality: simulator is stated as done, but nothing of it is seen"),
        ("models.py", "", "class A:\n    __tablename__ = 'orders'\n", 'models.py:2: tables: declares the table "orders"; its tables start with "plg_ck_tea_"'),
        ("models.py", "", "class A:\n    __tablename__ = 'plg_ck_tea_leaf'\n", "models.py:2: tables: declares tables, but there are no migrations"),
        ("templates/ck_tea/a.html", "", "<p>\n<script>go()</script>", "templates/ck_tea/a.html:2: templates: holds a script; put it into static/ and use data- attributes"),
        ("templates/ck_tea/a.html", "", '<a onclick="go()">', "templates/ck_tea/a.html:1: templates: binds an event in the markup; put it into a script in static/"),
        ("templates/ck_tea/a.html", "", '<a style="x">', "templates/ck_tea/a.html:1: templates: holds style; put it into a style sheet in static/"),
        ("templates/ck_tea/a.html", "", '<img src="https://cdn.example/a.png">', "templates/ck_tea/a.html:1: templates: fetches something from outside"),
        ("templates/ck_tea/a.html", "", "{{ order.note | safe }}", "templates/ck_tea/a.html:1: templates: marks a value as safe; the page would show it unescaped"),
        ("templates/a.html", "", "<p>", "templates/a.html:1: templates: lies outside templates/ck_tea/"),
        ("static/ck_tea/a.css", "", "a { b: url(//cdn.example/x.png) }", "static/ck_tea/a.css:1: static: fetches something from outside"),
        ("plugin.py", "", "# more\n" * 120, "plugin.py:121: size: has 138 lines; 120 are the limit"),
    ],
)  # fmt: skip
def test_breach_is_found_at_its_place_when_a_plugin_is_spoiled(plugin, path, old, new, finding):
    spoil(plugin, path, old, new)

    shown = found(plugin)

    assert [one for one in shown if one.startswith(finding)] != [], shown
    assert check_plugin(plugin, HOOKS).tier == ""


def test_translation_is_found_when_missing(plugin):
    spoil(plugin, "plugin.toml", '["en"]', '["en", "zh"]')
    folder = plugin / "translations" / "zh" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "messages.po").write_text('msgid ""\nmsgstr "Language: zh\\n"\n\nmsgid "Key"\nmsgstr ""\n\nmsgid "Address"\nmsgstr "地址"\n')

    assert found(plugin) == [
        "translations/zh/LC_MESSAGES/messages.po:1: translations: is not compiled",
        "translations/zh/LC_MESSAGES/messages.po:4: translations: is not translated",
    ]


def test_documents_are_missed_when_they_are_not_there(plugin, bench):
    (plugin / "README.md").unlink()
    (bench.folder.parent / "tests" / "plugins" / "ck_tea" / "test_ck_tea.py").unlink()

    assert found(plugin) == [
        "plugin.toml:1: documents: there are no tests, neither in tests/ nor in tests/plugins/ck_tea/",
        "plugin.toml:1: documents: there is no README.md",
        "plugin.toml:15: quality: removal_documented is stated as done, but nothing of it is seen",
        "plugin.toml:16: quality: two_tenant_tests is stated as done, but nothing of it is seen",
    ]


def test_single_file_passes_when_it_is_the_smallest_plugin():
    toy = Path(__file__).resolve().parents[3] / "toy_plugins" / "toy_hello.py"

    assert check_plugin(toy, HOOKS).findings == ()


def test_file_without_a_manifest_is_a_finding(tmp_path):
    (tmp_path / "plain.py").write_text("x = 1\n")

    [finding] = check_plugin(tmp_path / "plain.py", HOOKS).findings

    assert finding.shown(tmp_path) == "plain.py:1: manifest: There is no PLUGIN = {...} in it."


def test_scaffold_writes_nothing_when_the_name_is_taken_or_wrong(plugin, bench):
    before = sorted(bench.folder.rglob("*"))

    with pytest.raises(FolderTaken):
        new_plugin("ck_tea", bench.folder, bench.folder.parent / "tests")
    for name in ("Tea", "tea-shop", "core", "t" * 33, "../tea"):
        with pytest.raises(NameInvalid):
            new_plugin(name, bench.folder, bench.folder.parent / "tests")

    assert sorted(bench.folder.rglob("*")) == before


SPECS = ("core.domain.channels.hooks", "core.delivery.web.hooks", "core.delivery.api.hooks")
VIEWS = '''@hookimpl
def register_views():
    def load():
        from plugins.ck_tea.views import Page
        return Page
    return [ViewSpec("ck_tea.pages", load)]
'''


def tried(plugin: Path) -> list[str]:
    names = {kind.hook for kind in kinds_of([hooks, *map(importlib.import_module, SPECS)]).values()}
    report = check_plugin(plugin, frozenset(names), spec_modules=SPECS)
    return [one.shown(plugin) for one in report.findings if one.rule in ("loads", "syntax")]


def test_scaffold_loads_when_new(plugin):
    assert tried(plugin) == []


@pytest.mark.parametrize(
    ("path", "old", "new", "finding"),
    [
        ("service.py", "def check(", "def check((", "service.py:10: syntax: Function parameters cannot be parenthesized"),
        ("service.py", "def check(", "raise SystemExit(4)\n\n\ndef check(", "service.py:10: loads: SystemExit: 4 (service.py:10)"),
        ("service.py", "def check(", "import os\nos._exit(7)\n\n\ndef check(", "plugin.py:1: loads: loading its code ended the process with 7"),
        ("plugin.py", "return Lifecycle(", "raise OSError('x')\n    return Lifecycle(", "plugin.py:1: loads: Its code does not load: OSError: x (plugin.py:12)"),
        ("plugin.py", "return [Subscriber(", "return [3, Subscriber(", "plugin.py:1: loads: register_subscribers must return Subscriber, not int."),
    ],
)  # fmt: skip
def test_code_that_does_not_load_is_found_when_it_is_tried(plugin, path, old, new, finding):
    spoil(plugin, path, old, new)

    assert tried(plugin) == [finding]


def test_page_that_does_not_load_is_found_with_its_line(plugin):
    spoil(plugin, "plugin.py", "import Lifecycle, ", "import Lifecycle, ViewSpec, ")
    (plugin / "plugin.py").write_text((plugin / "plugin.py").read_text() + "\n\n" + VIEWS)
    (plugin / "views.py").write_text('"""Pages."""\n\nPage = 1 / 0\n')

    assert tried(plugin) == ["views.py:3: loads: ck_tea.pages: ZeroDivisionError: division by zero (views.py:3)"]


def test_code_that_hangs_while_it_loads_is_found_after_the_limit(plugin):
    spoil(plugin, "service.py", "def check(", "while True:\n    pass\n\n\ndef check(")
    package = package_at(plugin, "plugins.ck_tea")

    [finding] = load_findings(Subject(plugin, package.top_module, package.manifest, HOOKS), SPECS, limit_s=3.0)

    assert finding.shown(plugin) == "plugin.py:1: loads: its code has not loaded within 3 seconds"
