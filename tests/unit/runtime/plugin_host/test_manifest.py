from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from core.runtime.plugin_host.errors import ManifestInvalid
from core.runtime.plugin_host.manifest import CORE_VERSION, Quota, manifest_from, read_manifest
from core.runtime.plugin_host.quality import missing_for, tier_of
from core.runtime.plugin_host.singlefile import read_single_file

LEAST = {"id": "tea", "version": "1.0.0", "title": "Tea", "core": ">=0.1,<1"}


def test_manifest_has_defaults_when_it_says_little():
    manifest = manifest_from(LEAST)

    assert (manifest.scope, manifest.instances, manifest.in_flight, manifest.locales, manifest.warnings) == (
        "tenant", "single", "drain", ("en",), ()
    )  # fmt: skip


def test_manifest_keeps_what_it_is_told_when_it_says_much():
    manifest = manifest_from(
        {
            **LEAST,
            "egress": ["API.example.com", "*.example.com"],
            "quota": {"api.example.com": {"per_s": 40, "burst": 80}, "x.example.com": {"per_s": 0.5}},
            "data_classes": {"phone": ["receiver_mobile", "Receiver_Phone"]},
            "quality": {"simulator": "done", "reauth": {"exempt": "There are no credentials."}},
        }
    )

    assert manifest.egress == ("api.example.com", "*.example.com")
    assert manifest.quota == {"api.example.com": Quota(40.0, 80), "x.example.com": Quota(0.5, 1)}
    assert manifest.personal_fields == frozenset({"receiver_mobile", "receiver_phone"})
    assert dict(manifest.quality) == {"simulator": "", "reauth": "There are no credentials."}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"id": "Tea Shop"}, "\"id\" must be lower-case words joined by underscores, at most 32 characters, not 'Tea Shop'"),
        ({"id": "core"}, "\"id\" 'core' is taken by Orderloom itself"),
        ({"version": "one"}, "\"version\" must be a version such as 1.4.0, not 'one'"),
        ({"core": "1.x"}, '"core" must be a version range such as ">=1,<2", not \'1.x\''),
        ({"instances": "multi"}, "\"instances\" must be one of single, many, not 'multi'"),
        ({"mandatory": "yes"}, "\"mandatory\" must be true or false, not 'yes'"),
        ({"requires": "jd"}, "\"requires\" must be a list, not 'jd'"),
        ({"requires": ["tea"]}, '"requires" names the plugin itself'),
        (
            {"egress": ["https://api.example.com/"]},
            "\"egress\" must hold host names without scheme or path, not 'https://api.example.com/'",
        ),
        ({"egress_from_settings": ["gateway"]}, '"egress_from_settings" needs "settings"'),
        ({"tables": ["orders"]}, '"tables": "orders" must start with "plg_tea_"'),
        ({"quota": {"a.example.com": {"per_s": 0}}}, '"quota" needs a positive per_s for a.example.com'),
        ({"quality": {"simulator": "soon"}}, '"quality" must say "done" or { exempt = "the reason" } for simulator'),
        ({"quality": {"simulator": {"exempt": "no"}}}, '"quality" must say "done" or { exempt = "the reason" } for simulator'),
        ({"mandatory": True, "settings": "a:B"}, '"mandatory" plugins run without settings, so "settings" cannot be given'),
    ],
)
def test_manifest_is_refused_readably_when_a_value_is_wrong(change, problem):
    with pytest.raises(ManifestInvalid) as caught:
        manifest_from({**LEAST, **change})

    assert caught.value.problems == [problem]


def test_manifest_names_every_problem_when_there_are_several():
    with pytest.raises(ManifestInvalid) as caught:
        manifest_from({"id": "tea", "scope": "world"})

    assert caught.value.problems == [
        '"version" is missing',
        '"title" is missing',
        '"core" is missing',
        "\"scope\" must be one of platform, tenant, not 'world'",
    ]


def test_manifest_warns_and_suggests_when_a_name_is_unknown():
    manifest = manifest_from({**LEAST, "egres": ["a.example.com"], "quality": {"simulater": "done"}})

    assert manifest.warnings == (
        '"egres" is not a known key; did you mean "egress"?',
        '"simulater" is not a known quality rule; did you mean "simulator"?',
    )


def test_manifest_says_what_is_wrong_when_the_file_is_no_toml(tmp_path):
    path = tmp_path / "plugin.toml"
    path.write_text("id = tea")

    with pytest.raises(ManifestInvalid) as caught:
        read_manifest(path)

    assert caught.value.message.startswith("plugin.toml is not valid TOML: ")


def test_single_file_is_read_without_running_it(tmp_path):
    path = tmp_path / "tea.py"
    path.write_text('"""Tea for everybody.\n\nMore."""\nraise SystemExit\nPLUGIN = {"id": "tea", "version": "1.0"}\n')

    manifest = read_single_file(path)

    assert (manifest.id, manifest.title, manifest.core) == ("tea", "Tea for everybody", f"~={CORE_VERSION}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("PLUGIN = {'id': name}", "tea.py:1: PLUGIN must be a literal dictionary"),
        ("PLUGIN = 5", "tea.py:1: PLUGIN must be a literal dictionary"),
        ("def (", "tea.py is not valid Python: invalid syntax (tea.py, line 1)"),
    ],
)
def test_single_file_is_refused_readably_when_it_is_wrong(tmp_path, text, problem):
    path = tmp_path / "tea.py"
    path.write_text(text)

    with pytest.raises(ManifestInvalid) as caught:
        read_single_file(path)

    assert caught.value.problems[0].replace(str(tmp_path) + "/", "") == problem


def test_single_file_is_no_plugin_when_it_has_no_manifest(tmp_path):
    path = tmp_path / "helper.py"
    path.write_text("x = 1")

    assert read_single_file(path) is None


def test_tier_is_the_highest_that_is_complete_when_rules_are_stated():
    bronze = dict.fromkeys(["connection_tested", "unique_instance", "simulator", "removal_documented", "two_tenant_tests"], "")
    silver = dict.fromkeys(["reauth", "errors_classified", "logged_once", "drains"], "")

    assert (tier_of({}), tier_of(bronze), tier_of(silver), tier_of({**bronze, **silver, "coverage": ""})) == ("", "bronze", "", "silver")
    assert missing_for("silver", {**bronze, **silver}) == ["coverage"]


def test_core_version_is_that_of_the_distribution():
    project = tomllib.loads((Path(__file__).resolve().parents[4] / "pyproject.toml").read_text())

    assert project["project"]["version"] == CORE_VERSION
