"""Settings of a plugin: checked, sealed, tested, activated, compared, taken back."""

from __future__ import annotations

import http.server
import threading

import pytest
from sqlalchemy import text

from core.kernel.errors import Denied
from core.runtime.plugin_host.configs import activate, check_connection, differences, filled_form, roll_back, save_draft
from core.runtime.plugin_host.errors import ConfigInvalid, InstanceNameInvalid, InstanceUnknown, StateForbids
from core.runtime.plugin_host.instances import find_instance, versions_of
from core.runtime.plugin_host.lifecycle import enable
from core.runtime.plugin_host.packages import record_packages, stored_form
from core.runtime.plugin_host.problems import open_problems
from core.runtime.plugin_host.secrets import shown_secrets
from core.runtime.plugin_host.verdicts import Site
from core.runtime.security.audit import AuditFilter, entries

pytestmark = pytest.mark.database

KEY, OTHER_KEY = "s3cr3t-key-of-the-tea-shop", "another-secret-0815"


@pytest.fixture
def greeter():
    """A server that greets those who know the key."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            known = self.headers.get("X-Key") == KEY
            self.send_response(200 if known else 403)
            self.end_headers()
            self.wfile.write(b"Hello, tea shop" if known else b"Who are you?")

        def log_message(self, *_args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/hello"
    server.shutdown()
    server.server_close()


def in_unit(desk, function, *args, scope=None, **options):
    with desk.world.database.unit(scope or desk.world.tea) as session:
        return function(session, desk.runtime, *args, **options)


def test_draft_is_refused_by_field_when_it_does_not_fit(desk):
    with pytest.raises(ConfigInvalid) as caught:
        in_unit(desk, save_draft, "toy_hello", {"address": "nonsense", "color": "red"})

    assert caught.value.facts["errors"] == {
        "address": ["Not a valid URL."],
        "api_key": ["Missing data for required field."],
        "color": ["Unknown field."],
    }
    with desk.world.database.unit(desk.world.tea) as session:
        assert find_instance(session, "toy_hello") is None


def test_secret_is_stored_sealed_and_shown_by_its_end_when_saved(desk, greeter):
    in_unit(desk, save_draft, "toy_hello", {"address": greeter, "api_key": KEY})

    with desk.world.database.unit(desk.world.tea) as session:
        [config] = versions_of(session, find_instance(session, "toy_hello"))
        shown = shown_secrets(session, config)["api_key"]
        assert (shown["is_set"], shown["hint"]) == (True, KEY[-4:])
        assert config.values == {"address": greeter}
        everything = [
            str(row)
            for table in ("plugin_config", "plugin_secret", "plugin_instance", "audit_entry", "plugin_call")
            for row in session.connection().execute(text(f"SELECT t::text FROM {table} t")).scalars()
        ]
        assert [row for row in everything if KEY in row or KEY.encode().hex() in row] == []


def test_secret_stays_when_it_is_left_out_and_goes_when_cleared(desk, greeter):
    in_unit(desk, save_draft, "toy_hello", {"address": greeter, "api_key": KEY})
    kept = in_unit(desk, save_draft, "toy_hello", {"address": greeter, "api_key": "", "sender": "TEA"})

    with pytest.raises(ConfigInvalid) as caught:
        in_unit(desk, save_draft, "toy_hello", {"address": greeter}, clear=["api_key"])

    assert (kept.version, kept.values) == (2, {"address": greeter, "sender": "TEA"})
    assert caught.value.facts["errors"] == {"api_key": ["Missing data for required field."]}
    with desk.world.database.unit(desk.world.tea) as session:
        context = desk.runtime.context(session, "toy_hello", version=2)
        assert (dict(context.config), dict(context.secrets)) == ({"address": greeter, "sender": "TEA"}, {"api_key": KEY})


def test_draft_is_the_same_version_when_nothing_changed(desk, greeter):
    values = {"address": greeter, "api_key": KEY}

    versions = [in_unit(desk, save_draft, "toy_hello", values).version for _ in range(2)]
    versions.append(in_unit(desk, save_draft, "toy_hello", {"address": greeter}).version)

    assert versions == [1, 1, 1]


def test_activation_needs_a_passed_test_when_the_plugin_can_test(desk, greeter):
    in_unit(desk, save_draft, "toy_hello", {"address": greeter, "api_key": OTHER_KEY})
    with pytest.raises(StateForbids) as caught:
        in_unit(desk, activate, "toy_hello")
    wrong = in_unit(desk, check_connection, "toy_hello")
    in_unit(desk, save_draft, "toy_hello", {"address": greeter, "api_key": KEY})
    right = in_unit(desk, check_connection, "toy_hello")

    active = in_unit(desk, activate, "toy_hello")
    row = in_unit(desk, enable, "toy_hello")

    assert caught.value.reason == "untested"
    assert (wrong.is_ok, wrong.message, right.message) == (True, "Who are you?", "Hello, tea shop")
    assert (active.version, row.state, row.active_version) == (2, "enabled", 2)
    assert ("plugin.configured", {"plugin": "toy_hello", "instance": "main", "old": None, "new": 2}) in desk.announced


def test_connection_test_fails_readably_when_nobody_answers(desk, free_port):
    in_unit(desk, save_draft, "toy_hello", {"address": f"http://127.0.0.1:{free_port}/", "api_key": KEY})

    result = in_unit(desk, check_connection, "toy_hello")

    assert (result.is_ok, result.code) == (False, "plugin.cannot_connect")


def test_active_settings_change_in_another_process_when_rolled_back(desk, greeter):
    in_unit(desk, save_draft, "toy_hello", {"address": greeter, "api_key": KEY, "sender": "ONE"})
    in_unit(desk, activate, "toy_hello", is_test_needed=False)
    in_unit(desk, save_draft, "toy_hello", {"address": greeter, "api_key": OTHER_KEY, "sender": "TWO"})
    in_unit(desk, activate, "toy_hello", is_test_needed=False)
    other = desk.another_process()
    with desk.world.database.unit(desk.world.tea) as session:
        second = other.context(session, "toy_hello")

    in_unit(desk, roll_back, "toy_hello", 1)

    with desk.world.database.unit(desk.world.tea) as session:
        first = other.context(session, "toy_hello")
        [newer, older] = versions_of(session, find_instance(session, "toy_hello"))
        changed = [(found.field, found.old, found.new) for found in differences(older, newer)]
        trail = entries(session, AuditFilter(action="plugin.config_activated", subject_id="toy_hello:main"))
    assert (second.config["sender"], second.secrets["api_key"]) == ("TWO", OTHER_KEY)
    assert (first.config["sender"], first.secrets["api_key"]) == ("ONE", KEY)
    assert changed == [("sender", "ONE", "TWO"), ("api_key", "changed", "changed")]
    assert trail[0].changes == {"version": [2, 1], "sender": ["TWO", "ONE"], "api_key": "changed"}


def test_settings_are_apart_when_two_tenants_use_the_plugin(desk, greeter):
    in_unit(desk, save_draft, "toy_hello", {"address": greeter, "api_key": KEY})
    in_unit(desk, activate, "toy_hello", is_test_needed=False)

    with desk.world.database.unit(desk.world.gift) as session:
        context = desk.runtime.context(session, "toy_hello")

    assert (dict(context.config), dict(context.secrets)) == ({}, {})


def test_form_is_still_there_when_the_plugin_no_longer_loads(desk, greeter):
    host = desk.runtime.host
    with desk.world.database.platform() as session:
        first = record_packages(session, host)
    with desk.world.database.platform() as session:
        again = record_packages(session, host)
    config = in_unit(desk, save_draft, "toy_hello", {"address": greeter, "api_key": KEY})
    loaded = host.loaded.pop("toy_hello")

    try:
        with desk.world.database.unit(desk.world.tea) as session:
            form = filled_form(stored_form(session, host, "toy_hello"), config)
    finally:
        host.loaded["toy_hello"] = loaded

    assert ("toy_hello" in first, again) == (True, [])
    assert [(entry["name"], entry["type"], entry["secret"], entry.get("value")) for entry in form] == [
        ("address", "url", False, greeter),
        ("api_key", "text", True, None),
        ("sender", "text", False, "SHOP"),
    ]


@pytest.mark.parametrize("name", ["", "Shop", "a:b", "../x", "x" * 41])
def test_set_up_is_refused_when_its_name_is_odd(desk, name):
    with pytest.raises(InstanceNameInvalid):
        in_unit(desk, save_draft, "toy_hello", {"address": "https://example.com/", "api_key": KEY}, instance=name)


def test_set_up_is_refused_when_the_plugin_can_be_set_up_once(desk):
    with pytest.raises(InstanceUnknown):
        in_unit(desk, save_draft, "toy_hello", {"address": "https://example.com/", "api_key": KEY}, instance="second")


def test_page_refusal_does_not_ask_for_a_new_sign_in(desk):
    class NotForYou(Denied):
        code = "toy_rights.not_for_you"

    def refuse(_ctx):
        raise NotForYou

    with desk.world.database.unit(desk.world.tea) as session:
        page = desk.runtime.call(session, "toy_rights", Site("views", "toy_rights.page"), refuse)
        seen = desk.runtime.call(session, "toy_rights", Site("schedules", "toy_rights.poll"), refuse)
    desk.runtime.flush()

    assert (page.error.code, seen.error.code) == ("toy_rights.not_for_you", "toy_rights.not_for_you")
    with desk.world.database.unit(desk.world.tea) as session:
        [problem] = open_problems(session)
        assert (problem.key, problem.count, problem.facts["site"]) == ("credentials", 1, "schedules:toy_rights.poll")
