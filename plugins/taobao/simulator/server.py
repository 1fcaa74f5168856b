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
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from core.sdk.bodies import BodyRefused, body_of
from plugins.taobao.simulator.control import control
from plugins.taobao.simulator.gateway import Answer, SimGateway
from plugins.taobao.simulator.protocol import TopError, rendered

PATH = "/router/rest"
CONTROL = "/_sim/"
KEY_HEADER = "X-Simulator-Key"
_PATHS = {PATH, "/rest", "/top/router/rest"}
_MOST_FIELDS = 2000
LONGEST_BODY = 16 * 1024 * 1024
UNREADABLE = TopError(43, "Parameter error", sub_msg="the request cannot be read")
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

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002 - as above
        """What is no request of the platform's is answered in its words too: other HTTP methods, broken heads, noise."""
        self.close_connection = True
        # A head that cannot be read counts as HTTP 0.9, whose answers have no head either; no client understands that.
        self.request_version = self.protocol_version
        self._refuse(TopError(9, "Http action not allowed") if code == HTTPStatus.NOT_IMPLEMENTED else UNREADABLE)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the signature is the standard library's
        """Stay quiet: requests hold sessions and signatures."""

    def _serve(self) -> None:
        try:
            address, body = urlsplit(self.path), body_of(self.headers, self.rfile, longest=LONGEST_BODY)
        except ValueError:
            self.close_connection = True
            self._refuse(UNREADABLE)
            return
        path = address.path.rstrip("/") or "/"
        if path.startswith(CONTROL):
            self._control(path.removeprefix(CONTROL), body)
        elif path in _PATHS:
            try:
                params = self._params(address.query, body)
            except (ValueError, HTTPException):
                self._refuse(UNREADABLE)
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
        if media_type.endswith("json"):
            return params | _json_fields(text)
        return params | dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))

    def _refuse(self, error: TopError, status: int = 200) -> None:
        """An answer of the gateway itself; what was asked for is not known, so it is JSON."""
        self._send(status, *rendered("error_response", error.content, {"format": "json"}))

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


def _json_fields(text: str) -> dict[str, str]:
    """The parameters in a JSON object; what is no text is written out as JSON. Raises: BodyRefused - no JSON object."""
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise BodyRefused("no JSON") from error
    if not isinstance(value, dict):
        raise BodyRefused("no object")
    return {
        name: part if isinstance(part, str) else json.dumps(part, ensure_ascii=False, separators=(",", ":"))
        for name, part in value.items()
        if part is not None
    }
