"""A receiver on loopback, and two tenants with webhooks switched on."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from core.runtime.events import EventDraft, emit
from core.runtime.plugin_host.lifecycle import enable
from core.runtime.tenancy.scope import Scope
from plugins.outbound_webhooks import service
from plugins.outbound_webhooks.models import Attempt, Hook, Message
from tests.fixtures.floor import Floor
from tests.fixtures.plugin_desk import PluginDesk

PLUGIN = "outbound_webhooks"


@dataclass(frozen=True)
class Call:
    """One request that came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)

    def is_signed_by(self, secret: str, *, tolerance_s: int = 300) -> bool:
        """What a receiver would check, written from the README and not from the plugin's code."""
        parts = [part.split("=", 1) for part in self.headers["orderloom-signature"].split(",")]
        stamp = int(dict(parts)["t"])
        wanted = hmac.new(secret.encode(), str(stamp).encode() + b"." + self.body, hashlib.sha256).hexdigest()
        fresh = abs(time.time() - stamp) <= tolerance_s
        return fresh and any(name == "v1" and hmac.compare_digest(value, wanted) for name, value in parts)

    def signatures(self) -> int:
        return self.headers["orderloom-signature"].count("v1=")


@dataclass
class Receiver:
    """Listens until `stop`. Answers what stands in `answers`, one after the other, then `usual`.

    `on_call` hears the number of each request before it is answered. An answer is a status, (status, headers, body), or "drop": read the request, and close the connection without a word.
    """

    usual: Any = 204
    answers: list[Any] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    on_call: Callable[[int], None] = lambda _number: None

    def __post_init__(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                receiver.calls.append(Call(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                receiver.on_call(len(receiver.calls))
                answer = receiver.answers.pop(0) if receiver.answers else receiver.usual
                if answer == "drop":
                    self.close_connection = True
                    return
                status, headers, text_ = answer if isinstance(answer, tuple) else (answer, {}, b"")
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text_)))
                self.end_headers()
                self.wfile.write(text_)

            def log_message(self, *_args: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}{path}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.stop()


class Desk(PluginDesk):
    """The running system with webhooks, seen from a test."""

    def context(self, session: Any) -> Any:
        return self.floor.system.plugins.context(session, PLUGIN)

    def subscribe(self, receiver: Receiver, *events: str, scope: Scope | None = None, name: str = "ERP") -> tuple[UUID, str]:
        """A subscription and its secret."""
        with self.unit(scope) as session:
            draft = service.checked({"name": name, "url": receiver.url(), "events": list(events or ("order.",))})
            hook, secret = service.make_hook(self.context(session), draft)
            return hook.id, secret

    def happen(self, *drafts: EventDraft, scope: Scope | None = None, deliver: bool = True) -> None:
        """Let events happen, and whatever follows from them."""
        with self.unit(scope) as session:
            emit(session, list(drafts))
        if deliver:
            self.floor.settle(scope or self.tea)

    def hook(self, hook_id: UUID, scope: Scope | None = None) -> Hook:
        with self.unit(scope) as session:
            return session.scalars(select(Hook).where(Hook.id == hook_id)).one()

    def unit_rows(self, model: Any, scope: Scope | None = None) -> list[Any]:
        with self.unit(scope) as session:
            return list(session.scalars(select(model).order_by(model.id)))

    def messages(self, scope: Scope | None = None) -> list[Message]:
        with self.unit(scope) as session:
            return list(session.scalars(select(Message).order_by(Message.id)))

    def attempts(self, scope: Scope | None = None) -> list[Attempt]:
        with self.unit(scope) as session:
            return list(session.scalars(select(Attempt).order_by(Attempt.message_id, Attempt.number)))

    def change(self, hook_id: UUID, act: Any, scope: Scope | None = None) -> Any:
        """`act(ctx, hook)` in a transaction."""
        with self.unit(scope) as session:
            return act(self.context(session), session.scalars(select(Hook).where(Hook.id == hook_id)).one())


@pytest.fixture
def desk(floor: Floor) -> Iterator[Desk]:
    """Webhooks on in both tenants; everything they stored is gone at the end."""
    plugins = floor.system.plugins
    for scope in (floor.world.tea, floor.world.gift):
        with floor.world.database.unit(scope) as session:
            enable(session, plugins, PLUGIN)
    plugins.enablement.forget()
    made = Desk(floor)
    for scope in (made.tea, made.gift):
        floor.settle(scope)
    yield made
    plugins.flush()
    for scope in (made.tea, made.gift):
        with floor.world.database.unit(scope) as session:
            for table in ("plg_outbound_webhooks_hook", "delivery", "event", "plugin_breaker", "plugin_egress", "plugin_problem"):
                session.connection().execute(text(f"DELETE FROM {table}"))
    plugins.breakers.forget()
