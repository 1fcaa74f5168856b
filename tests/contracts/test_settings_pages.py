"""Pages that are made from the settings must be made again when the settings change."""

from __future__ import annotations

import pytest

from config import pages
from config.reading import load_settings
from config.schema import ROOT


@pytest.mark.parametrize(
    ("path", "made"), [("docs/reference/settings.md", pages.reference_page), ("deploy/.env.example", pages.environment_example)]
)
def test_page_is_current_when_settings_change(path, made):
    assert (ROOT / path).read_text(encoding="utf-8") == made(), f"run `oms settings --write-pages` to make {path} again"


@pytest.mark.parametrize("environment", ["development", "test"])
def test_committed_files_are_valid_when_an_environment_is_chosen(environment):
    assert load_settings({"OMS_ENVIRONMENT": environment}).environment == environment
