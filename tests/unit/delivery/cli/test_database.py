"""Links that commands print lead to where the site is served."""

from __future__ import annotations

import json
import os

import pytest

from core.delivery.cli.database import running_address


def test_address_is_that_of_the_running_site(tmp_path):
    (tmp_path / "up.json").write_text(json.dumps({"pid": os.getpid(), "address": "http://localhost:9123"}))

    assert running_address(tmp_path) == "http://localhost:9123"


@pytest.mark.parametrize("said", ["", "{", "{}", "[]", '{"pid": 999999999, "address": "http://localhost:9123"}'])
def test_address_is_unknown_when_nothing_runs(tmp_path, said):
    (tmp_path / "up.json").write_text(said)

    assert running_address(tmp_path) == ""
