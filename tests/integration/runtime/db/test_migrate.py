"""The schema's revisions: what is pending, before and after the upgrade, with plugins whose revisions stand on the core's."""

from __future__ import annotations

from pathlib import Path

from core.runtime.db.migrate import pending, upgrade

ROOT = Path(__file__).resolve().parents[4]
FOLDERS = sorted((ROOT / "plugins").glob("*/migrations"))


def test_nothing_is_pending_once_the_core_and_plugins_on_top_of_it_are_upgraded(cluster):
    endpoints = cluster.create_database("migrated")
    try:
        before = pending(endpoints.owner_url, FOLDERS)

        upgrade(endpoints.owner_url, FOLDERS)

        assert "core_0010" in before
        assert pending(endpoints.owner_url, FOLDERS) == []
        assert pending(endpoints.app_url, FOLDERS) == []
    finally:
        cluster.drop_database("migrated")


def test_a_plugins_revision_is_pending_when_only_the_core_was_upgraded(cluster):
    endpoints = cluster.create_database("core_only")
    try:
        upgrade(endpoints.owner_url)

        left = pending(endpoints.owner_url, FOLDERS)

        assert left
        assert "core_0010" not in left
    finally:
        cluster.drop_database("core_only")
