"""The simulator as an HTTP server on loopback."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import urlsplit

from core.sdk import Clock, SystemClock
from core.sdk.bodies import body_of
from plugins.jd.simulator.answering import GatewayError
from plugins.jd.simulator.control import PREFIX, SECRET_HEADER, Control
from plugins.jd.simulator.faults import Faults
from plugins.jd.simulator.gateway import App, Gateway
from plugins.jd.simulator.generator import fill
from plugins.jd.simulator.live import Life
from plugins.jd.simulator.shop import Shop
from plugins.jd.simulator.wire import UnreadableRequest, parameters_of

HOST = "127.0.0.1"
PATH = "/routerjson"
# The second is that of JD's newer router, which the same client libraries can be pointed at.
_PATHS = (PATH, "/api")
_JSON = "application/json;charset=UTF-8"
LONGEST_BODY = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Options:
    """How the simulated shop is set up. `port` 0 takes a free one, `live` is new orders a second, `slow_s` what the fault `slow` costs."""

    port: int = 0
    app_key: str = "SIMJDKEY00000000000000000000001"
    secret: str = "simjdsecret000000000000000000001"  # noqa: S105 - of a simulator
    session: str = "sim-jd-token-0001"
    orders: int = 50
    seed: int = 1
    faults: tuple[str, ...] = ()
    live: float = 0.0
    calls_per_second: int = 1000
    slow_s: float = 2.0
    clock: Clock = field(default_factory=SystemClock)


class Simulator:
    """One simulated JD shop behind its gateway. `shop`, `gateway` and `faults` may be used from the same process under `shop.lock`.

    Raises: OSError - the port is taken; ValueError - an unknown fault.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.shop = Shop(clock=options.clock, seed=options.seed)
        self.faults = Faults(options.faults, seed=options.seed)
        fill(self.shop, options.orders)
        app = App(options.app_key, options.secret, options.session)
        self.gateway = Gateway(app, self.shop, self.faults, calls_per_second=options.calls_per_second)
        self.control = Control(self.gateway)
        self._life = Life(self.shop, per_second=options.live) if options.live > 0 else None
        handler = type("Handler", (_Handler,), {"simulator": self})
        self._server = _Server((HOST, options.port), handler)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The gateway's address."""
        return f"http://{HOST}:{self._server.server_address[1]}{PATH}"

    def run(self) -> None:
        """Serve until `stop` is called from elsewhere, or the process is interrupted."""
        if self._life is not None:
            self._life.start()
        try:
            self._server.serve_forever(poll_interval=0.02)
        finally:
            if self._life is not None:
                self._life.end()
            self._server.server_close()

    def start(self) -> Simulator:
        """Serve in a thread of this process until `stop`."""
        self._thread = threading.Thread(target=self.run, name="jd-simulator", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End serving; returns when no request is taken any more."""
        self._server.shutdown()
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> Simulator:
        return self.start()

    def __exit__(self, *_problem: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error of the simulator."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Reads any placement of parameters and plays the faults of the transport."""

    simulator: ClassVar[Simulator]
    protocol_version = "HTTP/1.1"
    server_version = "jos-simulator"
    disable_nagle_algorithm = True
    timeout = 60

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the base class gives it
        """Stay silent: the one line with the address is all that the command prints."""

    def do_HEAD(self) -> None:
        """Some client libraries probe before they call."""
        self._send(200, b"", "text/plain")

    def do_GET(self) -> None:
        """A call with everything in the URL."""
        self._answer()

    def do_POST(self) -> None:
        """A call with a form, multipart or JSON body, or with everything in the URL and none."""
        self._answer()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002 - as above
        """Other HTTP methods, broken heads and noise get an answer in JD's words too."""
        self.close_connection = True
        # A head that cannot be read counts as HTTP 0.9, whose answers have no head either; no client understands that.
        self.request_version = self.protocol_version
        self._send_json(200, GatewayError("10").answer())

    def _answer(self) -> None:
        # The official Python library sends the whole address in the request line.
        try:
            target, body = urlsplit(self.path), body_of(self.headers, self.rfile, longest=LONGEST_BODY)
        except ValueError:
            self.close_connection = True
            self._send_json(200, GatewayError("10").answer())
            return
        if target.path.startswith(PREFIX):
            self._control(target.path.removeprefix(PREFIX), body)
        elif target.path.rstrip("/") not in _PATHS:
            self._send(404, b"not found", "text/plain")
        else:
            self._call(target.query, body)

    def _control(self, name: str, body: bytes) -> None:
        control = self.simulator.control
        if not control.is_allowed(self.headers.get(SECRET_HEADER, "")):
            self._send_json(403, {"error": f"send the app secret in {SECRET_HEADER}"})
        else:
            self._send_json(*control.carry_out(name, body))

    def _call(self, query: str, body: bytes) -> None:
        faults = self.simulator.faults
        if faults.strikes("slow"):
            time.sleep(self.simulator.options.slow_s)
        if faults.strikes("http-5xx"):
            self._send(503, b"Service Unavailable", "text/plain")
            return
        if faults.strikes("html-error"):
            self._send(200, b"<!DOCTYPE html><html><body><h1>Busy</h1></body></html>", "text/html;charset=UTF-8")
            return
        try:
            answer = self.simulator.gateway.answer(parameters_of(query, self.headers.get("Content-Type", ""), body))
        except UnreadableRequest:
            answer = GatewayError("10").answer()
        payload = _encoded(answer)
        if faults.strikes("answer-lost"):
            # The service has done its work; only its answer does not arrive.
            self.close_connection = True
            return
        self._send(200, payload[: len(payload) // 2] if faults.strikes("truncated-json") else payload, _JSON)

    def _send_json(self, status: int, value: Any) -> None:
        self._send(status, _encoded(value), _JSON)

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def serve(  # noqa: PLR0917 - the callers' fixed signature
    port: int,
    app_key: str,
    secret: str,
    session: str,
    orders: int,
    seed: int,
    faults: Iterable[str],
    live: float = 0.0,
) -> None:
    """Run the simulator in the foreground until it is interrupted; prints its address as one line when it is ready.

    Raises: OSError - the port is taken; ValueError - an unknown fault.
    """
    options = Options(port=port, app_key=app_key, secret=secret, session=session, orders=orders, seed=seed, faults=tuple(faults), live=live)
    announce(Simulator(options))


def announce(simulator: Simulator) -> None:
    """Print the address and serve until interrupted."""
    print(f"JD simulator: {simulator.url}", flush=True)  # noqa: T201 - the line that scripts wait for
    with contextlib.suppress(KeyboardInterrupt):
        simulator.run()
