"""Requests that are none, and how to send them to a simulator byte by byte."""

from __future__ import annotations

import json
import random
import socket
from typing import Any
from urllib.parse import urlsplit

NOISE = bytes(random.Random(11).randrange(256) for _ in range(600))
FORM = b"Host: sim\r\nContent-Type: application/x-www-form-urlencoded\r\n"
AS_JSON = b"Host: sim\r\nContent-Type: application/json\r\n"


def unreadable(path: str) -> dict[str, bytes]:
    """What nobody can read as a call of the gateway at `path`, by what is wrong with it."""
    head = b"POST " + path.encode() + b" HTTP/1.1\r\n"
    return {
        "noise": NOISE,
        "nul": b"\x00" * 1000,
        "long-line": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        "http-2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "broken-address": b"GET http://[::1 HTTP/1.1\r\nHost: sim\r\n\r\n",
        "negative-length": head + FORM + b"Content-Length: -5\r\n\r\nabc",
        "superscript-length": head + FORM + b"Content-Length: \xb2\r\n\r\nabc",
        "body-of-20-mb": head + FORM + b"Content-Length: 20000000\r\n\r\n" + b"a" * 20_000_000,
        "a-million-fields": head + FORM + b"Content-Length: 4000000\r\n\r\n" + b"a=1&" * 1_000_000,
        "negative-chunk": head + FORM + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nabc",
        "endless-chunk": head + FORM + b"Transfer-Encoding: chunked\r\n\r\nffffffffffff\r\nabc",
        "cut-json": head + AS_JSON + b"Content-Length: 6\r\n\r\n[1,2,3",
        "deep-json": head + AS_JSON + b"Content-Length: 100000\r\n\r\n" + b"[" * 100_000,
    }


def exchange(url: str, data: bytes) -> tuple[bytes, Any]:
    """Send bytes as they are; the answer's first line and its decoded body."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.split(b"\r\n", 1)[0], json.loads(body)
