"""What a start remembers of the first one."""

from __future__ import annotations

import stat

import pytest

from core.delivery.cli.first_start import fingerprint, recall, remember


@pytest.fixture
def project(tmp_path):
    versions = tmp_path / "core/runtime/db/migrations/versions"
    versions.mkdir(parents=True)
    (versions / "one.py").write_text("revision = 1")
    (tmp_path / "plugins.toml").write_text("")
    return tmp_path


def test_fingerprint_changes_when_a_migration_is_added_or_a_plugin_listed(project):
    seen = [fingerprint(project, demo=False), fingerprint(project, demo=True)]
    (project / "core/runtime/db/migrations/versions/two.py").write_text("revision = 2")
    seen.append(fingerprint(project, demo=False))
    (project / "plugins.toml").write_text('[[plugin]]\nid = "jd"\n')
    seen.append(fingerprint(project, demo=False))

    assert len(set(seen)) == 4


def test_fingerprint_stays_when_other_files_change(project):
    before = fingerprint(project, demo=True)
    (project / "README.md").write_text("new")

    assert fingerprint(project, demo=True) == before


def test_recall_returns_what_was_noted_without_passwords_when_nothing_changed(tmp_path):
    programs = [{"name": "taobao", "arguments": ["simulator", "taobao"]}]
    remember(tmp_path, "abc", logins=[{"login": "admin", "password": "secret"}], programs=programs)

    assert recall(tmp_path, "abc") == {"fingerprint": "abc", "logins": [{"login": "admin"}], "programs": programs}
    assert stat.S_IMODE((tmp_path / "first-start.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", [None, "{half", '{"fingerprint": "other"}'])
def test_recall_returns_nothing_when_the_note_does_not_fit(tmp_path, text):
    if text is not None:
        (tmp_path / "first-start.json").write_text(text)

    assert recall(tmp_path, "abc") is None
