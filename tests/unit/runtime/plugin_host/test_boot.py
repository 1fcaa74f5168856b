"""Starting with plugins that are missing, broken, blocked or at odds: the host starts, and says why each cannot be used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.runtime.db.base import metadata, tenant_tables
from core.runtime.plugin_host.errors import PluginNotUsable, PluginUnknown, RegistrySealed
from core.runtime.plugin_host.host import HostOptions, PluginHost
from core.runtime.plugin_host.registry import CORE
from tests import toy_hooks

RULE = """
from core.sdk import hookimpl
from tests.toy_hooks import Rule

@hookimpl
def register_rules():
    return [Rule({key!r}, lambda _ctx, number: number)]
"""


def rule(key):
    return RULE.format(key=key)


def fault(host, plugin):
    package = host.packages[plugin]
    return package.state, package.fault.code, package.fault.message


def test_boot_loads_nothing_when_the_list_is_empty_or_absent(bench, tmp_path):
    bench.single("bt_idle")

    empty, absent = bench.boot(entries=""), PluginHost(HostOptions(listing=tmp_path / "none.toml")).boot()

    assert (dict(empty.loaded), empty.packages["bt_idle"].state, empty.fault) == ({}, "unlisted", None)
    assert (dict(absent.loaded), absent.fault) == ({}, None)


def test_boot_loads_nothing_and_says_so_when_the_list_is_broken(bench):
    bench.single("bt_idle")

    host = bench.boot(entries="[[plugin]\n")

    assert (host.loaded, host.fault.code) == ({}, "plugin.listing_invalid")


@pytest.mark.parametrize(("blocked", "loaded"), [(("bt_one",), ["bt_two"]), (("*",), []), ((), ["bt_one", "bt_two"])])
def test_boot_leaves_out_plugins_when_they_are_blocked(bench, blocked, loaded):
    bench.single("bt_one", rule("bt_one.rule"))
    bench.single("bt_two", rule("bt_two.rule"))

    host = bench.boot(blocked=blocked)

    assert [found.plugin for found in host.registry.all_items("rules")] == loaded


@pytest.mark.parametrize(
    ("code", "reason", "message"),
    [
        ("raise ValueError('no luck')", "plugin.load_failed", "Its code does not load: ValueError: no luck (bt_bad.py:3)"),
        ("raise SystemExit(2)", "plugin.load_failed", "Its code does not load: SystemExit: 2 (bt_bad.py:3)"),
        ("import no_such_library", "plugin.load_failed", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("import core.runtime.db.base", "plugin.load_refused", "bt_bad.py:3: imports core.runtime.db.base; plugins use core.sdk only"),
        ("from core import runtime", "plugin.load_refused", "bt_bad.py:3: imports core.runtime; plugins use core.sdk only"),
        ("from plugins.bt_good import x", "plugin.load_refused", "bt_bad.py:3: imports plugins.bt_good; plugins do not know each other"),
        ("from . import bt_good", "plugin.load_refused", "bt_bad.py:3: imports plugins.bt_good; plugins do not know each other"),
        ("import flask_appbuilder", "plugin.load_refused", "bt_bad.py:3: imports flask_appbuilder, which is not for plugins"),
        ("from core.sdk import hookimpl\n@hookimpl\ndef register_nonsense(): return []", "plugin.load_failed", "unknown hook 'register_nonsense'"),
        ("from core.sdk import hookimpl\n@hookimpl\ndef register_rules(tenant): return []", "plugin.load_failed", "Argument(s) {'tenant'}"),
        ("from core.sdk import hookimpl\n@hookimpl\ndef register_rules(): return [5]", "plugin.contribution_wrong", "must return Rule, not int"),
        ("from core.sdk import hookimpl\n@hookimpl\ndef register_rules(): return 5", "plugin.contribution_wrong", "must return a list of Rule, not int"),
        ("from core.sdk import hookimpl\n@hookimpl\ndef register_rules(): 1 / 0", "plugin.load_failed", "ZeroDivisionError"),
        ("from core.sdk import hookimpl\n@hookimpl(wrapper=True)\ndef register_rules():\n    return (yield)", "plugin.contribution_wrong", "is a wrapper"),
        (rule("bt_good.rule"), "plugin.contribution_wrong", 'the key "bt_good.rule" must be "bt_bad" or start with "bt_bad."'),
    ],
)  # fmt: skip
def test_boot_goes_on_without_a_plugin_when_its_code_is_wrong(bench, code, reason, message):
    bench.single("bt_bad", code)
    bench.single("bt_good", rule("bt_good.rule"))

    host = bench.boot()

    state, found, told = fault(host, "bt_bad")
    assert (state, found) == ("unavailable", reason)
    assert message in told
    assert [found.item.key for found in host.registry.all_items("rules")] == ["bt_good.rule"]
    with pytest.raises(PluginNotUsable):
        host.plugin("bt_bad")


TABLE = """
from core.sdk.models import Base, TenantOwned
from sqlalchemy.orm import Mapped

class Row(TenantOwned, Base):
    __tablename__ = {name}
    text: Mapped[str]
"""


@pytest.mark.parametrize(
    ("name", "tables", "message"),
    [
        ("'orders'", [], 'declares the table "orders"; its tables start with "plg_bt_table_"'),
        ("'orders_' + 'copy'", [], 'It brings the tables orders_copy; its tables start with "plg_bt_table_".'),
        ("'plg_bt_table_row'", [], 'The manifest\'s "tables" does not name plg_bt_table_row.'),
    ],
)
def test_boot_refuses_and_forgets_a_table_when_it_is_not_the_plugins_own(bench, name, tables, message):
    before = (set(metadata.tables), tenant_tables())
    bench.single("bt_table", TABLE.format(name=name), tables=tables)

    host = bench.boot()

    assert message in fault(host, "bt_table")[2]
    assert (set(metadata.tables), tenant_tables()) == before


def test_boot_takes_a_table_when_it_is_declared_and_prefixed(bench):
    bench.single("bt_table", TABLE.format(name="'plg_bt_table_row'"), tables=["plg_bt_table_row"])

    assert bench.boot().plugin("bt_table").tables == ("plg_bt_table_row",)


def test_boot_says_what_waits_for_what_when_plugins_form_a_circle(bench):
    bench.single("bt_a", requires=["bt_b"])
    bench.single("bt_b", after=["bt_c"])
    bench.single("bt_c", requires=["bt_a"])
    bench.single("bt_d", rule("bt_d.rule"), after=["bt_a"])
    bench.single("bt_e", requires=["bt_c"])

    host = bench.boot()

    assert [fault(host, name)[2] for name in ("bt_a", "bt_b", "bt_c")] == [
        "The plugins wait for each other: bt_a → bt_b → bt_c → bt_a."
    ] * 3
    assert fault(host, "bt_e") == ("unavailable", "plugin.requirement_missing", "It requires bt_c, which cannot be used.")
    assert list(host.loaded) == ["bt_d"]


def test_boot_leaves_out_those_that_need_a_plugin_when_that_one_fails_to_load(bench):
    bench.single("bt_base", "raise ValueError")
    bench.single("bt_above", requires=["bt_base"])
    bench.single("bt_beside", after=["bt_base"])

    host = bench.boot()

    assert fault(host, "bt_above") == ("unavailable", "plugin.requirement_missing", "It requires bt_base, which cannot be used.")
    assert list(host.loaded) == ["bt_beside"]


def test_boot_orders_by_after_then_id_with_the_core_first(bench):
    for name, after in {"bt_a": ["bt_z"], "bt_m": [], "bt_z": ["bt_gone"], "bt_b": []}.items():
        bench.single(name, rule(f"{name}.rule"), after=after)
    bench.listing.write_text("".join(f'[[plugin]]\nid = "{name}"\n' for name in bench.listed))
    options = HostOptions(
        listing=bench.listing,
        folders=(bench.folder,),
        spec_modules=(toy_hooks,),
        core_items={"rules": [toy_hooks.Rule("core.rule", lambda _ctx, number: number)]},
    )

    host = PluginHost(options).boot()

    assert [found.plugin for found in host.registry.all_items("rules")] == [CORE, "bt_b", "bt_m", "bt_z", "bt_a"]
    assert host.registry.order({"bt_a": 1, "bt_b": 9, "bt_m": 5, "bt_z": 7}) == ["bt_m", "bt_z", "bt_a", "bt_b"]


@pytest.mark.parametrize(
    ("entry", "code", "message"),
    [
        ('id = "bt_gone"', "plugin.missing", "plugins.toml lists bt_gone, but no such plugin is installed."),
        ('id = "bt_old"', "plugin.core_mismatch", "It needs Orderloom <0.1, this is 0.1.0."),
        ('id = "bt_new"\nversion = "<1"', "plugin.version_mismatch", "plugins.toml asks for <1, version 1.0.0 is installed."),
        ('id = "bt_liar"', "plugin.id_mismatch", 'The manifest says "bt_other", but the plugin is installed as "bt_liar".'),
        ('id = "bt_toml"', "plugin.manifest_invalid", '"scope" must be one of platform, tenant, not 5'),
    ],
)
def test_boot_says_why_when_a_listed_plugin_cannot_be_used(bench, entry, code, message):
    bench.single("bt_old", core="<0.1")
    bench.single("bt_new")
    bench.single("bt_liar", id="bt_other")
    bench.package("bt_toml", "scope = 5")

    host = bench.boot(entries=f"[[plugin]]\n{entry}\n")

    assert fault(host, entry.split('"')[1]) == ("unavailable", code, message)


def test_boot_loads_a_package_with_settings_and_relative_imports(bench):
    bench.package(
        "bt_pack",
        'settings = "settings:Settings"',
        settings="from marshmallow import Schema, fields\nclass Settings(Schema):\n    name = fields.String(required=True)\n",
        rules="from tests.toy_hooks import Rule\nRULES = [Rule('bt_pack.rule', lambda _ctx, number: number)]\n",
        plugin="from core.sdk import hookimpl\nfrom .rules import RULES\n@hookimpl\ndef register_rules():\n    return RULES\n",
    )

    loaded = bench.boot().plugin("bt_pack")

    assert [entry["name"] for entry in loaded.form] == ["name"]
    assert (loaded.needs_settings, [rule.key for rule in loaded.given["rules"]]) == (True, ["bt_pack.rule"])


def test_boot_signs_descriptors_that_carry_their_plugins_name(bench):
    code = "from core.sdk import Permission, hookimpl\n@hookimpl\ndef register_permissions():\n    return [Permission('bt_one.read', 'See', 'One')]"
    bench.single("bt_one", code)

    [found] = bench.boot().registry.all_items("permissions")

    assert (found.plugin, found.item.plugin) == ("bt_one", "bt_one")


def test_registry_takes_nothing_more_when_sealed(bench):
    host = bench.boot()

    with pytest.raises(RegistrySealed):
        host.registry.contribute("rules", [])
    with pytest.raises(PluginUnknown):
        host.package("bt_never")


def test_installed_package_is_found_without_importing_it_when_it_has_an_entry_point(tmp_path):
    package = tmp_path / "bt_dist" / "inner"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("raise RuntimeError('imported too early')")
    (package / "__init__.py").write_text("")
    (package / "plugin.py").write_text("")
    (package / "plugin.toml").write_text('id = "bt_dist"\ntitle = "Dist"\nversion = "2.0"\ncore = ">=0.1"\n')
    info = tmp_path / "bt_dist-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bt-dist\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text("[orderloom.plugins]\nbt_dist = bt_dist.inner\nbt_empty = bt_nowhere\n")
    code = (
        "import json, sys; from core.runtime.plugin_host.discovery import Listing, discover;"
        "found = discover(Listing({'bt_dist': {}, 'bt_empty': {}}), []);"
        "print(json.dumps([[p.id, p.state, p.module, p.fault and p.fault.code] for p in found.values()]), 'bt_dist' in sys.modules)"
    )

    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True, cwd=Path(__file__).resolve().parents[4], env={"PYTHONPATH": f"{tmp_path}:."},
    )  # fmt: skip

    shown, _, imported = run.stdout.strip().rpartition(" ")
    assert json.loads(shown) == [
        ["bt_dist", "ready", "bt_dist.inner.plugin", None],
        ["bt_empty", "unavailable", "", "plugin.no_manifest"],
    ]
    assert imported == "False"


def test_smallest_plugin_with_form_secret_and_test_has_at_most_20_lines():
    code = (Path(__file__).resolve().parents[3] / "toy_plugins" / "toy_hello.py").read_text()

    assert len([line for line in code.splitlines() if line.strip()]) <= 20
