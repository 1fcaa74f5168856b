"""Settings of an installation with generated keys and embedded servers."""

from __future__ import annotations

import stat

import psycopg
import pytest
import redis

from config.reading import SettingsInvalid, load_settings
from core.delivery.cli.environment import handed_down, kept_back
from core.delivery.cli.installation import read_installation, running_installation
from tests.fixtures.servers import scratch_folder


def test_keys_are_made_once_when_none_are_set(tmp_path):
    first = read_installation(data_dir=tmp_path)
    second = read_installation(data_dir=tmp_path)

    assert (first.secret_key, first.master_key) == (second.secret_key, second.master_key)
    assert load_settings({"OMS_MASTER_KEY": first.master_key}).master_key == first.master_key
    assert len(first.secret_key) >= 32
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


def test_no_keys_are_made_when_it_is_production(tmp_path, monkeypatch):
    monkeypatch.setenv("OMS_ENVIRONMENT", "production")

    with pytest.raises(SettingsInvalid):
        read_installation(data_dir=tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.database
def test_servers_run_for_the_time_of_the_block_when_none_are_set():
    with scratch_folder() as folder:
        with running_installation(data_dir=folder) as settings:
            with psycopg.connect(settings.database_url.replace("+psycopg", "")) as connection:
                assert connection.execute("SELECT current_user").fetchone() == ("oms_app",)
            assert redis.Redis.from_url(settings.queue_url).ping() is True

        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(settings.database_url.replace("+psycopg", ""))
        with pytest.raises(redis.ConnectionError):
            redis.Redis.from_url(settings.queue_url).ping()


def test_child_gets_only_the_addresses_that_are_named_when_handed_down(tmp_path):
    settings = read_installation(data_dir=tmp_path, database_url="a", database_owner_url="b", relay_url="c")

    given = handed_down(settings, "database_url", "relay_url")

    assert given == {"OMS_DATABASE_URL": "a", "OMS_RELAY_URL": "c", "OMS_DATA_DIR": str(tmp_path), "OMS_ENVIRONMENT": "development"}
    assert {"OMS_DATABASE_OWNER_URL", "OMS_DATABASE_OWNER_URL_FILE", "OMS_MASTER_KEY"} <= set(kept_back())
