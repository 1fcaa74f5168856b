"""Choosing a port."""

from __future__ import annotations

import socket

import pytest

from core.delivery.cli.listening import PortTaken, is_ready, listen


def test_listen_takes_the_next_port_when_the_wanted_one_is_taken(free_port):
    skipped = []
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port))
        other.listen()

        with listen("127.0.0.1", free_port, skipped.append) as listener:
            number = listener.getsockname()[1]

    assert number == free_port + 1
    assert skipped == [free_port]


def test_listen_says_so_when_the_address_is_not_ours(free_port):
    with pytest.raises(PortTaken, match=r"Cannot listen on 192\.0\.2\.1"):
        listen("192.0.2.1", free_port, print)


def test_site_is_not_ready_when_nobody_answers(free_port):
    with listen("127.0.0.1", free_port, print) as silent:
        assert is_ready("127.0.0.1", silent.getsockname()[1], timeout_s=0.1) is False

    assert is_ready("127.0.0.1", free_port) is False
