"""What deploy/ says must fit the program: settings by their real names, subcommands that exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import core
from config.schema import ROOT, settings_fields, variable_of
from core.delivery.cli.main import oms

FILES = sorted(path for path in (ROOT / "deploy").rglob("*") if path.is_file())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_variables_are_settings_when_a_file_names_them(path: Path):
    named = set(re.findall(r"\bOMS_[A-Z_]*[A-Z]\b", path.read_text(encoding="utf-8")))
    known = {variable_of(name) for name in settings_fields()}

    assert {name for name in named if name not in known and name.removesuffix("_FILE") not in known} == set()


def test_subcommands_exist_when_units_and_services_run_them():
    units = {re.search(r"^ExecStart=\S+ (\S+)", path.read_text(), re.MULTILINE)[1] for path in FILES if path.suffix == ".service"}
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    services = {service["command"][0] for service in compose["services"].values() if "orderloom" in service["image"]}

    assert (units | services) - set(oms.list_commands(None)) == set()


def test_owner_address_is_known_to_preparation_only_when_services_start():
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))

    assert {name for name, service in compose["services"].items() if ".env.owner" in service.get("env_file", [])} == {"prepare", "migrate"}
    assert "OMS_DATABASE_OWNER_URL=" not in re.sub(r"^#.*$", "", (ROOT / "deploy" / ".env.example").read_text(), flags=re.MULTILINE)


def test_version_is_the_same_everywhere_when_released():
    assert core.__version__ == tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def test_every_setting_is_read_somewhere_when_it_is_offered():
    sources = [path.read_text(encoding="utf-8") for part in ("core", "plugins", "config") for path in (ROOT / part).rglob("*.py")]
    text = "\n".join([*sources, (ROOT / "app.py").read_text(encoding="utf-8")])

    unread = {name for name in settings_fields() if not re.search(rf"settings\.{name}\b|\"{name}\"", text)}

    assert unread == set()
