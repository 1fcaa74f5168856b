"""One HTTP exchange against servers that misbehave: a deadline that holds, caps that hold, errors that say whether it may have taken effect."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from core.runtime.plugin_host.addresses import destination_of
from core.runtime.plugin_host.errors import AnswerLost, CannotConnect, HostNotAllowed
from core.runtime.plugin_host.transport import Transport
from tests.fixtures.faults import FaultServer

LOCAL = ("127.0.0.1:*",)


@pytest.fixture
def transport():
    made = Transport(LOCAL)
    yield made
    made.close()


def send(transport, url, *, timeout_s=5.0, method="GET", body=None, headers=None):
    destination = destination_of(url)
    return transport.send(destination, method, headers={"Host": destination.authority, **(headers or {})}, body=body, timeout_s=timeout_s)


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/ok", 200, b'{"ok":true}'),
        ("/gzip", 200, b"packed " * 100),
        ("/deflate", 200, b"packed"),
        ("/chunked", 200, b"one two"),
        ("/error", 500, b"broken inside"),
        ("/refused", 401, b'{"error":"bad token"}'),
        ("/close", 200, b"bye"),
    ],
)
def test_send_returns_the_answer_when_it_is_complete(transport, faults, path, status, body):
    response = send(transport, faults.url(path))

    assert (response.status, response.body) == (status, body)


def test_send_never_follows_when_the_answer_redirects(transport, faults):
    response = send(transport, faults.url("/redirect"))

    assert (response.status, response.headers["location"]) == (302, "http://169.254.169.254/latest/meta-data/")
    assert len(faults.seen) == 1


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/nothing", "broken"),
        ("/half", "incomplete"),
        ("/garbage", "broken"),
        ("/bomb", "too_large"),
        ("/endless", "too_large"),
        ("/brotli", "encoding"),
        ("/not-gzip", "encoding"),
        ("/cut-gzip", "incomplete"),
    ],
)
def test_send_says_the_answer_is_lost_when_it_cannot_be_read(transport, faults, path, reason):
    with pytest.raises(AnswerLost) as caught:
        send(transport, faults.url(path), timeout_s=20.0)

    assert caught.value.reason == reason


@pytest.mark.parametrize("path", ["/hang", "/drip-body", "/drip-head"])
def test_send_keeps_its_deadline_when_the_server_is_slow_or_drips(transport, faults, path):
    began = time.monotonic()

    with pytest.raises(AnswerLost) as caught:
        send(transport, faults.url(path), timeout_s=0.5)

    assert caught.value.reason == "timeout"
    assert time.monotonic() - began < 1.0


def test_send_cannot_connect_when_nobody_listens(transport, free_port):
    with pytest.raises(CannotConnect) as caught:
        send(transport, f"http://127.0.0.1:{free_port}/")

    assert caught.value.reason == "refused"


def test_send_cannot_connect_in_time_when_the_backlog_is_full(transport):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.settimeout(0)
            filler.connect_ex(full.getsockname())
        began = time.monotonic()
        with pytest.raises(CannotConnect) as caught:
            send(transport, f"http://127.0.0.1:{full.getsockname()[1]}/", timeout_s=0.5)
        for filler in fillers:
            filler.close()

    assert caught.value.reason == "timeout"
    assert time.monotonic() - began < 1.5


def test_send_cannot_connect_in_time_when_the_resolver_hangs():
    gate = threading.Event()

    def hanging(_host, _port):
        gate.wait(10)
        return []

    transport = Transport(LOCAL, resolver=hanging)
    began = time.monotonic()

    with pytest.raises(CannotConnect) as caught:
        send(transport, "https://slow.example.test/", timeout_s=0.3)
    gate.set()

    assert caught.value.reason == "unknown_host"
    assert time.monotonic() - began < 0.8


def test_send_reuses_the_connection_when_it_is_still_open(transport, faults):
    for path in ("/ok", "/again", "/chunked", "/close", "/ok"):
        send(transport, faults.url(path))

    assert (len(faults.seen), faults.connections) == (5, 2)


def test_send_connects_anew_when_the_server_has_closed_meanwhile(transport, faults):
    send(transport, faults.url("/ok"))
    [idle] = next(iter(transport._idle.values()))
    idle.connection.sock.shutdown(socket.SHUT_RD)

    response = send(transport, faults.url("/again"))

    assert (response.body, faults.connections) == (b"again", 2)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "fe80::1", "fd00:ec2::254", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
        "2002:7f00:1::", "::7f00:1", "2001:0:7f00:1::",
    ],
)  # fmt: skip
def test_send_refuses_when_the_name_has_a_private_address(address):
    transport = Transport((), resolver=lambda _host, _port: ["93.184.216.34", address])

    with pytest.raises(HostNotAllowed) as caught:
        send(transport, "https://api.example.test/")

    assert caught.value.reason == "private_address"


@pytest.mark.parametrize("url", ["http://api.example.test/", "http://api.example.test:443/"])
def test_send_refuses_when_the_address_is_not_encrypted(url):
    transport = Transport((), resolver=lambda _host, _port: ["93.184.216.34"])

    with pytest.raises(HostNotAllowed) as caught:
        send(transport, url)

    assert caught.value.reason == "unencrypted"


def test_send_uses_the_checked_address_when_the_name_changes_its_mind(authority):
    asked = []
    server = FaultServer(tls=authority.context("api.example.test"))

    def fickle(host, _port):
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    transport = Transport(("api.example.test:*",), resolver=fickle, ca_file=authority.ca_file)
    response = send(transport, f"https://api.example.test:{server.port}/ok")
    server.stop()

    assert (response.status, asked) == (200, ["api.example.test"])
    assert server.seen[0][1]["host"] == f"api.example.test:{server.port}"


@pytest.mark.parametrize(("issuer", "name"), [("known", "other.example.test"), ("unknown", "api.example.test")])
def test_send_cannot_connect_when_the_certificate_is_wrong(authority, issuer, name):
    server = FaultServer(tls=authority.context(name))
    transport = Transport(
        ("api.example.test:*",), resolver=lambda _host, _port: ["127.0.0.1"], ca_file=authority.ca_file if issuer == "known" else None
    )

    with pytest.raises(CannotConnect) as caught:
        send(transport, f"https://api.example.test:{server.port}/ok")
    server.stop()

    assert (caught.value.reason, server.seen) == ("certificate", [])
