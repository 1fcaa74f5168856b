"""The simulator's HTTP side: every placement of parameters that client libraries use, and the control paths.

Source of the placements: shared reference marketplaces §2.1.
"""

from __future__ import annotations

import hmac
import json
import socket
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from plugins.taobao.simulator.control import control
from plugins.taobao.simulator.gateway import Answer, SimGateway
from plugins.taobao.simulator.protocol import TopError, rendered

PATH = "/router/rest"
CONTROL = "/_sim/"
KEY_HEADER = "X-Simulator-Key"
_PATHS = {PATH, "/rest", "/top/router/rest"}
_LONGEST_BODY = 16 * 1024 * 1024
_MOST_FIELDS = 2000
_JSON = "application/json;charset=UTF-8"


class GatewayServer(ThreadingHTTPServer):
    """Answers on the loopback interface for one SimGateway, each connection in a thread of its own."""

    daemon_threads = True
    # Clients that open many connections at once must not be turned away by the operating system.
    request_queue_size = 256

    def __init__(self, port: int, gateway: SimGateway) -> None:
        self.gateway = gateway
        super().__init__(("127.0.0.1", port), GatewayHandler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no news; anything else is."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class GatewayHandler(BaseHTTPRequestHandler):
    """One connection of a client."""

    server: GatewayServer
    protocol_version = "HTTP/1.1"
    server_version = "Tengine"
    sys_version = ""
    # Head and body leave in one packet, without waiting for the client's acknowledgement.
    wbufsize = 64 * 1024
    disable_nagle_algorithm = True
    timeout = 120

    def do_HEAD(self) -> None:
        """A probe before the real request."""
        self._send(200, "text/html;charset=UTF-8", "")

    def do_GET(self) -> None:
        """A call with everything in the query."""
        self._serve()

    def do_POST(self) -> None:
        """A call with its parameters in the query, in the body, or in both."""
        self._serve()

    def do_PUT(self) -> None:
        """Not an action of the platform."""
        self._body()
        self._send(200, *rendered("error_response", TopError(9, "Http action not allowed").content, {"format": "json"}))

    do_DELETE = do_PATCH = do_PUT  # noqa: N815 - the names are the standard library's

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the signature is the standard library's
        """Stay quiet: requests hold sessions and signatures."""

    def _serve(self) -> None:
        address, body = urlsplit(self.path), self._body()
        if body is None:
            return
        path = address.path.rstrip("/") or "/"
        if path.startswith(CONTROL):
            self._control(path.removeprefix(CONTROL), body)
        elif path in _PATHS:
            try:
                params = self._params(address.query, body)
            except (ValueError, HTTPException):
                self._refuse_body()
                return
            self._answer(self.server.gateway.answer(params))
        else:
            self._send(404, "text/plain", "Not Found")

    def _answer(self, answer: Answer) -> None:
        if answer.delay_s:
            time.sleep(answer.delay_s)
        if answer.is_lost:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(answer.status, answer.media_type, answer.text)

    def _control(self, verb: str, body: bytes) -> None:
        key = self.headers.get(KEY_HEADER, "")
        if not hmac.compare_digest(key.encode(), self.server.gateway.credentials.secret.encode()):
            self._send(403, _JSON, json.dumps({"error": f"the header {KEY_HEADER} does not hold the app secret"}))
            return
        status, content = control(self.server.gateway, verb, body)
        self._send(status, _JSON, json.dumps(content, ensure_ascii=False))

    def _params(self, query: str, body: bytes) -> dict[str, str]:
        """All parameters but files; what the body says goes before the query."""
        params = dict(parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
        media_type, options = parse_options_header(self.headers.get("Content-Type", ""))
        if media_type == "multipart/form-data":
            _, form, _ = FormDataParser().parse(BytesIO(body), media_type, len(body), options)
            return params | dict(form.items())
        text = body.decode("utf-8", "replace")
        return params | dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))

    def _body(self) -> bytes | None:
        """The request's body, with a length or in chunks; None after an answer that refuses it."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()) or int(length) > _LONGEST_BODY:
            self._refuse_body()
            return None
        return self.rfile.read(int(length))

    def _chunks(self) -> bytes | None:
        parts, total = [], 0
        while True:
            size = self.rfile.readline(64).split(b";")[0].strip()
            try:
                length = int(size, 16)
            except ValueError:
                length = -1
            total += length
            if length < 0 or total > _LONGEST_BODY:
                self._refuse_body()
                return None
            if length:
                parts.append(self.rfile.read(length))
            # The line end after a chunk; after the last one also trailers, up to the empty line.
            while self.rfile.readline(1024).strip() and not length:
                pass
            if not length:
                return b"".join(parts)

    def _refuse_body(self) -> None:
        self.close_connection = True
        self._send(400, "text/plain", "Bad Request")

    def _send(self, status: int, media_type: str, text: str) -> None:
        body = text.encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
