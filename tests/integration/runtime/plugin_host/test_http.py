"""`ctx.http`: who may be called, how often, and what is remembered of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import select, text

from core.runtime.plugin_host.configs import activate, save_draft
from core.runtime.plugin_host.errors import AnswerLost, BreakerOpen, CannotConnect, EffectInDryRun, HostNotAllowed, RateLimited
from core.runtime.plugin_host.http import RequestInvalid
from core.runtime.plugin_host.manifest import Quota
from core.runtime.plugin_host.models import PluginBreaker, PluginCall
from core.runtime.plugin_host.problems import open_problems

pytestmark = pytest.mark.database
KEY = "s3cr3t-key/of the shop"


def prepare(desk, address, scope=None):
    with desk.world.database.unit(scope or desk.world.tea) as session:
        save_draft(session, desk.runtime, "toy_hello", {"address": address, "api_key": KEY})
        activate(session, desk.runtime, "toy_hello", is_test_needed=False)


@pytest.fixture
def http(desk, faults):
    """The client of toy_hello at the tea shop, whose settings name the fault server."""
    prepare(desk, faults.url("/"))
    with desk.world.database.unit(desk.world.tea) as session:
        return desk.runtime.context(session, "toy_hello").http


def calls(desk):
    desk.runtime.flush()
    with desk.world.database.unit(desk.world.tea) as session:
        return session.scalars(select(PluginCall).order_by(PluginCall.id)).all()


def age_breakers(desk, seconds):
    """Let time pass for the breakers."""
    with desk.world.database.unit(desk.world.tea) as session:
        for column in ("until", "window_at"):
            session.connection().execute(text(f"UPDATE plugin_breaker SET {column} = {column} - interval '{seconds} seconds'"))
    desk.runtime.breakers.forget()


def test_request_sends_form_headers_and_parameters_when_allowed(http, faults):
    response = http.request("post", faults.url("/ok"), params={"q": "茶 a"}, form={"name": "é&="}, headers={"X-Shop": "tea"})

    [(line, headers, body)] = faults.seen
    assert (response.status, response.text()) == (200, '{"ok":true}')
    assert (line, body) == ("POST /ok?q=%E8%8C%B6+a", b"name=%C3%A9%26%3D")
    assert (headers["x-shop"], headers["content-type"]) == ("tea", "application/x-www-form-urlencoded; charset=utf-8")
    assert headers["host"] == f"127.0.0.1:{faults.port}"


def test_request_is_remembered_without_secrets_and_people_when_it_was_made(desk, http, faults):
    http.request("POST", faults.url("/refused"), params={"k": KEY}, json={"token": "abc", "mobile": "13800138000", "tid": 7, "note": KEY})

    [call] = calls(desk)
    assert (call.kind, call.name, call.outcome) == ("http", "POST 127.0.0.1", "ok")
    assert call.detail == {
        "method": "POST",
        "host": "127.0.0.1",
        "path": "/refused",
        "query": {"k": "***"},
        "request": {"token": "***", "mobile": "***", "tid": 7, "note": "***"},
        "status": 401,
        "bytes": 21,
        "answer": {"error": "bad token"},
    }


@pytest.mark.parametrize(
    "url",
    ["https://api.example.com/", "http://localhost/", "http://169.254.169.254/", "http://[::ffff:127.0.0.1]/", "ftp://127.0.0.1/"],
)
def test_request_is_refused_and_noted_when_the_host_is_not_listed(desk, http, url):
    with pytest.raises(HostNotAllowed):
        http.request("GET", url)

    [call] = calls(desk)
    assert (call.outcome, call.code) == ("refused", "plugin.host_not_allowed")


def test_request_leaves_a_problem_when_the_host_is_not_listed(desk, http):
    with pytest.raises(HostNotAllowed):
        http.request("GET", "https://evil.example/")
    desk.runtime.flush()

    with desk.world.database.unit(desk.world.tea) as session:
        [problem] = open_problems(session)
    assert (problem.key, problem.facts) == ("egress:evil.example", {"host": "evil.example"})


def test_request_reaches_a_settings_host_only_when_the_operator_allows_private_ones(desk, faults):
    prepare(desk, faults.url("/"))
    strict = desk.another_process()
    strict.egress = replace(strict.egress, transport=type(strict.egress.transport)(()))
    with desk.world.database.unit(desk.world.tea) as session:
        http = strict.context(session, "toy_hello").http

    with pytest.raises(HostNotAllowed) as caught:
        http.request("GET", faults.url("/ok"))

    assert (caught.value.reason, faults.seen) == ("unencrypted", [])


def test_request_sends_nothing_when_dry(desk, faults):
    prepare(desk, faults.url("/"))
    with desk.world.database.unit(desk.world.tea) as session:
        http = desk.runtime.context(session, "toy_hello", dry_run=True).http

    with pytest.raises(EffectInDryRun):
        http.request("GET", faults.url("/ok"))

    assert faults.seen == []


@pytest.mark.parametrize(
    "options",
    [
        {"form": {}, "json": {}},
        {"headers": {"X-A": "b\r\nX-Evil: c"}},
        {"headers": {"Host": "evil.example"}},
        {"headers": {"Content-Length": "0"}},
        {"headers": {"X-Tea": "茶"}},
    ],
)
def test_request_is_refused_when_it_cannot_be_sent_as_asked(http, faults, options):
    with pytest.raises(RequestInvalid):
        http.request("POST", faults.url("/ok"), **options)

    assert faults.seen == []


def test_breaker_opens_for_one_tenant_and_is_seen_by_other_processes_when_a_host_keeps_failing(desk, http, faults):
    prepare(desk, faults.url("/"), desk.world.gift)
    for _ in range(10):
        http.request("GET", faults.url("/error"))

    with pytest.raises(BreakerOpen) as caught:
        http.request("GET", faults.url("/ok"))
    other = desk.another_process()
    with desk.world.database.unit(desk.world.tea) as session, pytest.raises(BreakerOpen):
        other.context(session, "toy_hello").http.request("GET", faults.url("/ok"))
    with desk.world.database.unit(desk.world.gift) as session:
        elsewhere = other.context(session, "toy_hello").http.request("GET", faults.url("/ok"))

    assert 55 < caught.value.retry_after_s <= 60
    assert (elsewhere.status, len(faults.seen)) == (200, 11)
    desk.runtime.flush()
    with desk.world.database.unit(desk.world.tea) as session:
        [problem] = open_problems(session)
        assert (problem.key, problem.count, problem.facts["failures"]) == ("breaker:127.0.0.1", 1, 10)


def test_breaker_stays_closed_when_most_calls_go_well(desk, http, faults):
    for _ in range(12):
        http.request("GET", faults.url("/ok"))
    for _ in range(11):
        http.request("GET", faults.url("/error"))

    assert http.request("GET", faults.url("/ok")).status == 200


@pytest.mark.parametrize(
    ("path", "failures"),
    [("/refused", 0), ("/busy", 0), ("/error", 1), ("/nothing", 1)],
)
def test_breaker_counts_only_what_speaks_against_the_host(desk, http, faults, path, failures):
    with suppress(AnswerLost):
        http.request("GET", faults.url(path))

    with desk.world.database.unit(desk.world.tea) as session:
        assert sum(session.scalars(select(PluginBreaker.failures))) == failures


def test_breaker_probes_after_the_cool_down_and_closes_when_the_host_is_well_again(desk, http, faults):
    for _ in range(10):
        http.request("GET", faults.url("/error"))
    age_breakers(desk, 61)
    http.request("GET", faults.url("/error"))
    with pytest.raises(BreakerOpen):
        http.request("GET", faults.url("/ok"))

    age_breakers(desk, 61)
    statuses = [http.request("GET", faults.url("/ok")).status for _ in range(5)]
    desk.runtime.flush()

    with desk.world.database.unit(desk.world.tea) as session:
        row = session.scalars(select(PluginBreaker)).one()
        assert (row.state, row.openings, row.failures) == ("closed", 2, 0)
        assert open_problems(session) == []
    assert statuses == [200] * 5


def test_quota_holds_across_processes_when_it_is_used_up(desk, http, faults):
    loaded = desk.runtime.host.loaded["toy_hello"]
    limited = replace(loaded, manifest=replace(loaded.manifest, quota={"127.0.0.1": Quota(0.01, 3)}))
    desk.runtime.host.loaded["toy_hello"] = limited
    other = desk.another_process()

    try:
        with desk.world.database.unit(desk.world.tea) as session:
            clients = [runtime.context(session, "toy_hello").http for runtime in (desk.runtime, other)]
        statuses = [client.request("GET", faults.url("/ok")).status for client in (*clients, clients[0])]
        with pytest.raises(RateLimited) as caught:
            clients[1].request("GET", faults.url("/ok"))
    finally:
        desk.runtime.host.loaded["toy_hello"] = loaded

    assert (statuses, len(faults.seen)) == ([200] * 3, 3)
    assert 90 < caught.value.retry_after_s <= 100


def test_unreachable_host_is_told_as_not_sent(desk, http, free_port):
    prepare(desk, f"http://127.0.0.1:{free_port}/")
    with desk.world.database.unit(desk.world.tea) as session:
        client = desk.runtime.context(session, "toy_hello").http

    with pytest.raises(CannotConnect) as caught:
        client.request("GET", f"http://127.0.0.1:{free_port}/")

    assert (caught.value.retryable, getattr(caught.value, "outcome_unknown", False)) == (True, False)
