"""Reading settings: what wins, what is refused, and what stops a production start."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from config.reading import SettingsInvalid, as_variables, load_settings, public_values, unsafe_values
from config.schema import ROOT, Settings, settings_fields

KEY = "k1:" + base64.b64encode(bytes(range(32))).decode()
SAFE = {
    "OMS_ENVIRONMENT": "production",
    "OMS_DATABASE_URL": "postgresql+psycopg://oms_app:x@db/orderloom",
    "OMS_QUEUE_URL": "redis://queue",
    "OMS_SECRET_KEY": "qwertzuiopasdfghjklyxcvbnm1234567890",
    "OMS_MASTER_KEY": KEY,
    "OMS_TRUSTED_HOSTS": "orders.example.com",
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "default.toml").write_text('port = 1000\nsite_name = "All"\nworker_processes = 3\n')
    (tmp_path / "test.toml").write_text('port = 2000\nsite_name = "Tests"\n')
    return tmp_path


def test_settings_take_the_default_when_nothing_is_given(tmp_path):
    settings = load_settings({}, folder=tmp_path)

    assert settings == replace(Settings(), data_dir=ROOT / "var", plugins_file=ROOT / "plugins.toml")


def test_settings_prefer_override_to_variable_to_environment_file_to_default_file(folder, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("from the file\n")
    environ = {"OMS_ENVIRONMENT": "test", "OMS_PORT": "3000", "OMS_SECRET_KEY_FILE": str(secret), "OMS_HOST": "::1"}

    settings = load_settings(environ, folder=folder, host="0.0.0.0")

    assert (settings.host, settings.port, settings.site_name, settings.worker_processes) == ("0.0.0.0", 3000, "Tests", 3)
    assert settings.secret_key == "from the file"


@pytest.mark.parametrize("text", ["jd,taobao", "jd, taobao", "jd taobao"])
def test_list_is_split_when_it_comes_from_a_variable(text, tmp_path):
    assert load_settings({"OMS_PLUGINS_BLOCKED": text}, folder=tmp_path).plugins_blocked == ("jd", "taobao")


def test_relative_folder_lies_in_the_project_when_started_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert load_settings({"OMS_DATA_DIR": "else where"}, folder=tmp_path).data_dir == ROOT / "else where"
    assert load_settings({}, folder=tmp_path, data_dir=Path("/srv/oms")).data_dir == Path("/srv/oms")


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({"OMS_PROT": "1"}, "OMS_PROT is not a setting; did you mean OMS_PORT?"),
        ({"OMS_ZZZZZZZZZZZZZ": "1"}, "OMS_ZZZZZZZZZZZZZ is not a setting."),
        ({"OMS_PORT": "http"}, "port must be a whole number."),
        ({"OMS_PORT": "0"}, "port must be at least 1."),
        ({"OMS_PORT": "70000"}, "port must be at most 65535."),
        ({"OMS_COOKIE_SECURE": "maybe"}, "cookie_secure must be true or false."),
        ({"OMS_ENVIRONMENT": "prod"}, "environment must be one of development, test, production."),
        (
            {"OMS_MASTER_KEY": "k1:short"},
            "master_key must be id:key, the key being 32 bytes in base64 (`oms settings --new-keys` makes one).",
        ),
        ({"OMS_SECRET_KEY": "x", "OMS_SECRET_KEY_FILE": "/x"}, "OMS_SECRET_KEY and OMS_SECRET_KEY_FILE are both set; keep one."),
    ],
)
def test_settings_are_refused_when_a_variable_is_wrong(environ, problem, tmp_path):
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(environ, folder=tmp_path)

    assert caught.value.problems == [problem]


def test_settings_are_refused_with_every_fault_when_there_are_several(folder):
    (folder / "default.toml").write_text('prot = 1\nport = "x"\ntrusted_hosts = 3\n')

    with pytest.raises(SettingsInvalid) as caught:
        load_settings({"OMS_WEB_THREADS": "0", "OMS_SECRET_KEY_FILE": "/no/such/file"}, folder=folder)

    assert caught.value.problems == [
        "OMS_SECRET_KEY_FILE names a file that cannot be read: [Errno 2] No such file or directory: '/no/such/file'.",
        "default.toml: prot is not a setting; did you mean port?",
        "port must be a whole number.",
        "trusted_hosts must be a list of texts.",
        "web_threads must be at least 1.",
    ]


def test_production_starts_when_all_values_are_safe():
    settings = load_settings(SAFE)

    assert settings.is_production
    assert settings.cookie_secure


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"OMS_DATABASE_URL": ""}, "database_url"),
        ({"OMS_QUEUE_URL": ""}, "queue_url"),
        ({"OMS_SECRET_KEY": "short but random 1234"}, "secret_key"),
        ({"OMS_SECRET_KEY": "a" * 64}, "secret_key"),
        ({"OMS_MASTER_KEY": ""}, "master_key"),
        ({"OMS_TRUSTED_HOSTS": "*"}, "trusted_hosts"),
        ({"OMS_COOKIE_SECURE": "no"}, "cookie_secure"),
        ({"OMS_LOG_LEVEL": "debug"}, "log_level"),
        ({"OMS_EGRESS_ALLOW": "*:*"}, "egress_allow"),
        ({"OMS_DATABASE_OWNER_URL": SAFE["OMS_DATABASE_URL"]}, "database_url"),
    ],
)
def test_production_is_refused_when_one_value_is_unsafe(change, word):
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(SAFE | change)

    assert [problem.split()[0] for problem in caught.value.problems] == [word]


def test_unsafe_values_are_taken_when_it_is_not_production(tmp_path):
    settings = load_settings({}, folder=tmp_path)

    assert len(unsafe_values(settings)) == 7
    assert settings.environment == "development"


def test_secrets_are_not_shown_when_settings_are_printed():
    settings = load_settings(SAFE)

    assert SAFE["OMS_SECRET_KEY"] not in repr(settings)
    assert KEY not in repr(settings)
    shown = public_values(settings)
    assert (shown["secret_key"], shown["relay_url"], shown["port"]) == ("(set)", "", 8080)


def test_values_are_read_back_when_handed_to_a_child_process(tmp_path):
    settings = load_settings(SAFE, port=1234, egress_allow=("10.0.0.1:80", "10.0.0.2:80"))

    handed = as_variables({name: getattr(settings, name) for name in settings_fields()})

    assert load_settings(handed, folder=tmp_path) == settings
