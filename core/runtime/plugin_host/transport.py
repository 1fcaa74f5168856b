"""One HTTP exchange with a checked address, within a deadline that covers all of it.

The name is resolved once and the connection goes to that very address (with the name in SNI, certificate check and Host header), so a name
that changes its mind between check and use gains nothing. The deadline holds for slow drips, too: it is applied to each single read. Bodies
are capped before and after decompression. Redirects are answers like any other.
"""

from __future__ import annotations

import io
import os
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, cast

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse as RawResponse

from core.runtime.plugin_host.addresses import OPEN_PORTS, Destination, is_address, is_listed, is_public
from core.runtime.plugin_host.context import HttpResponse
from core.runtime.plugin_host.errors import AnswerLost, CannotConnect, HostNotAllowed

MAX_BODY = 20 * 1024 * 1024
MAX_CONNECT_S = 5.0
# Shorter than common servers wait, so that a request rarely meets a connection that is just being closed.
MAX_IDLE_S = 4.0
MAX_IDLE = 4
_CHUNK = 64 * 1024

Resolver = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host name, in the system's order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _DeadlineReader(io.RawIOBase):
    """The reading end of a socket that gives each read only what is left until the deadline."""

    def __init__(self, raw: Any, sock: _DeadlineSocket) -> None:
        self._raw = raw
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.hurry()
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _DeadlineSocket:
    """A connected socket (plain or TLS) whose single operations all end at `deadline`, a moment of `time.monotonic`."""

    def __init__(self, sock: Any, deadline: float) -> None:
        self._sock = sock
        self.deadline = deadline

    def hurry(self) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline")
        self._sock.settimeout(left)

    def sendall(self, data: Any) -> None:
        self.hurry()
        self._sock.sendall(data)

    def makefile(self, _mode: str = "rb", *_args: Any, **_options: Any) -> io.BufferedReader:
        return io.BufferedReader(_DeadlineReader(self._sock.makefile("rb", buffering=0), self))

    def settimeout(self, _timeout_s: float | None) -> None:
        """The deadline decides."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


@dataclass(slots=True)
class _Idle:
    connection: HTTPConnection
    since: float


class Transport:
    """Keeps a few open connections per destination; safe for threads and forks.

    `allow` are the operator's host:port pairs that may be private and unencrypted. `ca_file` adds trusted certificates, of a private
    authority for example.
    """

    def __init__(self, allow: Sequence[str] = (), *, resolver: Resolver = resolve, ca_file: str | None = None) -> None:
        self._allow = tuple(allow)
        self._resolve = resolver
        self._tls = ssl.create_default_context()
        if ca_file is not None:
            self._tls.load_verify_locations(ca_file)
        self._idle: dict[tuple[str, str, int], list[_Idle]] = {}
        self._pid = os.getpid()
        self._lock = threading.Lock()

    def send(
        self, destination: Destination, method: str, *, headers: Mapping[str, str], body: bytes | None, timeout_s: float
    ) -> HttpResponse:
        """Send one request and read the whole answer, all within `timeout_s`.

        Raises: HostNotAllowed - the address is private or unencrypted and the operator does not allow it; CannotConnect - nothing was sent;
        AnswerLost - something was sent, and no complete answer came back.
        """
        began = time.monotonic()
        deadline = began + timeout_s
        connection = self._reused(destination, deadline) or self._connected(destination, deadline)
        try:
            connection.request(method, destination.path, body=body, headers=dict(headers), preload_content=False, decode_content=False)
            answer = connection.getresponse()
            content = _read(answer, destination.host)
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            connection.close()
            raise AnswerLost(host=destination.host, reason=_reason(error, deadline)) from error
        except AnswerLost:
            connection.close()
            raise
        self._keep(destination, connection, answer)
        lower = {name.lower(): value for name, value in answer.headers.items()}
        return HttpResponse(answer.status, lower, _decoded(content, lower, destination.host), time.monotonic() - began)

    def check(self, destination: Destination) -> None:
        """Refuse an address that could never be called, as far as that shows without asking a name server.

        Raises HostNotAllowed - unencrypted, an unusual port, or a private address, and the operator does not allow it.
        """
        if is_listed(self._allow, destination):
            return
        if destination.scheme != "https":
            raise HostNotAllowed("Only https addresses can be used.", host=destination.host, reason="unencrypted")
        if destination.port not in OPEN_PORTS:
            raise HostNotAllowed("Only the ports 443 and 8443 can be used.", host=destination.host, reason="port")
        if is_address(destination.host) and not is_public(destination.host):
            raise HostNotAllowed("The host has a private address.", host=destination.host, reason="private_address")

    def _address_of(self, destination: Destination, deadline: float) -> str:
        """The checked address to connect to. One private address among several refuses all of them."""
        is_allowed = is_listed(self._allow, destination)
        if destination.scheme != "https" and not is_allowed:
            raise HostNotAllowed("Only https addresses can be used.", host=destination.host, reason="unencrypted")
        found = self._resolved(destination, deadline)
        if not is_allowed and not all(is_public(address) for address in found):
            raise HostNotAllowed("The host has a private address.", host=destination.host, reason="private_address")
        return found[0]

    def _resolved(self, destination: Destination, deadline: float) -> Sequence[str]:
        """Ask the resolver in a thread, because it knows no time limit of its own."""
        box: list[Sequence[str] | OSError] = []

        def ask() -> None:
            try:
                box.append(self._resolve(destination.host, destination.port))
            except (OSError, UnicodeError) as error:
                box.append(error if isinstance(error, OSError) else OSError(str(error)))

        asking = threading.Thread(target=ask, name="resolver", daemon=True)
        asking.start()
        asking.join(max(0.0, min(MAX_CONNECT_S, deadline - time.monotonic())))
        found = box[0] if box else OSError("no answer in time")
        if isinstance(found, OSError) or not found:
            raise CannotConnect(host=destination.host, reason="unknown_host")
        return found

    def _connected(self, destination: Destination, deadline: float) -> HTTPConnection:
        address = self._address_of(destination, deadline)
        connect_s = max(0.001, min(MAX_CONNECT_S, deadline - time.monotonic()))
        connection: HTTPConnection
        if destination.scheme == "https":
            connection = HTTPSConnection(
                address, destination.port, timeout=connect_s, ssl_context=self._tls, server_hostname=destination.host
            )
        else:
            connection = HTTPConnection(address, destination.port, timeout=connect_s)
        try:
            connection.connect()
        except ssl.SSLCertVerificationError as error:
            connection.close()
            raise CannotConnect(host=destination.host, reason="certificate") from error
        except (HTTPError, OSError) as error:
            connection.close()
            raise CannotConnect(host=destination.host, reason=_connect_reason(error)) from error
        connection.sock = _DeadlineSocket(connection.sock, deadline)
        return connection

    def _reused(self, destination: Destination, deadline: float) -> HTTPConnection | None:
        """An open connection to the destination that the other side has not closed, if there is one."""
        with self._lock:
            if self._pid != os.getpid():
                self._idle, self._pid = {}, os.getpid()
            waiting = self._idle.get((destination.scheme, destination.host, destination.port), [])
            while waiting:
                idle = waiting.pop()
                if time.monotonic() - idle.since < MAX_IDLE_S and idle.connection.is_connected:
                    cast("_DeadlineSocket", idle.connection.sock).deadline = deadline
                    return idle.connection
                idle.connection.close()
        return None

    def _keep(self, destination: Destination, connection: HTTPConnection, answer: RawResponse) -> None:
        key = (destination.scheme, destination.host, destination.port)
        closes = answer.headers.get("connection", "").lower() == "close" or answer.version < 11
        with self._lock:
            waiting = self._idle.setdefault(key, [])
            if not closes and connection.sock is not None and len(waiting) < MAX_IDLE:
                waiting.append(_Idle(connection, time.monotonic()))
                return
        connection.close()

    def close(self) -> None:
        """Close all idle connections."""
        with self._lock:
            for waiting in self._idle.values():
                for idle in waiting:
                    with suppress(OSError):
                        idle.connection.close()
            self._idle = {}


def _read(answer: RawResponse, host: str) -> bytes:
    content = bytearray()
    while chunk := answer.read(_CHUNK):
        content += chunk
        if len(content) > MAX_BODY:
            raise AnswerLost(host=host, reason="too_large")
    return bytes(content)


def _decoded(content: bytes, headers: Mapping[str, str], host: str) -> bytes:
    """Undo gzip or deflate, never beyond the cap. Raises AnswerLost - too large or broken."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("identity", "") or not content:
        return content
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise AnswerLost(host=host, reason="encoding")
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32 if encoding != "deflate" or content[:1] == b"\x78" else -zlib.MAX_WBITS)
    try:
        plain = inflater.decompress(content, MAX_BODY + 1)
    except zlib.error as error:
        raise AnswerLost(host=host, reason="encoding") from error
    if len(plain) > MAX_BODY:
        raise AnswerLost(host=host, reason="too_large")
    if not inflater.eof:
        raise AnswerLost(host=host, reason="incomplete")
    return plain


def _reason(error: Exception, deadline: float) -> str:
    if isinstance(error, TimeoutError) or "timed out" in str(error) or time.monotonic() >= deadline:
        return "timeout"
    return "incomplete" if "IncompleteRead" in type(error).__name__ or "IncompleteRead" in str(error) else "broken"


def _connect_reason(error: Exception) -> str:
    if isinstance(error, TimeoutError) or "timed out" in str(error):
        return "timeout"
    return "certificate" if "CERTIFICATE" in str(error).upper() else "refused"
