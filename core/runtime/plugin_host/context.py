"""What a plugin is handed on every call: its tenant, settings, secrets and guarded tools, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from core.kernel.clock import Clock


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer of a remote service. `headers` has lower-case names; `body` is the raw bytes, at most 20 MiB."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed_s: float = 0.0

    def text(self) -> str:
        """The body as UTF-8 text; broken bytes become U+FFFD."""
        return self.body.decode("utf-8", "replace")


class HttpClient(Protocol):
    """Outgoing HTTP with an allow-list, time-outs, quota, breaker and recorder.

    Statuses are returned, not raised. Raises (all `core.kernel.errors`): `HostNotAllowed` (Denied) before anything is sent;
    `CannotConnect` (Unavailable) when surely nothing was sent; `AnswerLost` (Unavailable) when the request may have taken effect;
    `BreakerOpen` (Unavailable) when too many calls to the host failed of late.
    """

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 10.0,
    ) -> HttpResponse:
        """Send one request, without following redirects and without retrying; at most one of form, json, body."""
        ...


class PluginLog(Protocol):
    """Structured log lines that carry tenant and plugin; values under secret names are redacted."""

    def info(self, event: str, **values: Any) -> None: ...
    def warning(self, event: str, **values: Any) -> None: ...
    def error(self, event: str, **values: Any) -> None: ...


class ProblemReporter(Protocol):
    """The plugin's own say on its problem page."""

    def report(
        self, key: str, code: str, *, severity: str = "error", fix: str = "", subject: str = "", facts: Mapping[str, Any] | None = None
    ) -> None:
        """Note that something is wrong; the same `key` again counts up. `code` starts with the plugin's id; no personal data in `facts`."""
        ...

    def resolve(self, key: str) -> None:
        """Say that it is right again."""
        ...


class AddressBook(Protocol):
    """The hosts that the tenant's people let the plugin talk to, one for each thing (`reference`) of the plugin.

    Needs `egress_by_tenant` in the manifest, an open transaction, and a person who acts.
    """

    def allow(self, reference: str, url: str) -> str:
        """Let the plugin talk to the host of `url`, instead of the one it had for `reference`; returns host and port.

        Raises: HostNotAllowed - with `reason`; GrantDenied (Denied) - no person acts; TooManyHosts (Denied).
        """
        ...

    def withdraw(self, reference: str) -> None:
        """Take back what was allowed for `reference`."""
        ...


@dataclass(frozen=True, slots=True)
class PluginContext:
    """Everything a plugin may use during one call.

    `config` holds the activated, validated settings; `secrets` their write-only part. `session` is bound to the tenant's open
    transaction, or None outside one. `idempotency_key` is the same on every repeat of one delivery. With `dry_run` no effect may happen.
    `instance` tells the set-ups of a plugin apart that a tenant may have several times; `problems` takes what a person has to mend,
    `addresses` the hosts that people allow.
    """

    tenant_id: int
    tenant_slug: str
    plugin: str
    config: Mapping[str, Any]
    secrets: Mapping[str, str]
    http: HttpClient
    log: PluginLog
    clock: Clock
    session: Any = None
    idempotency_key: str = ""
    dry_run: bool = False
    instance: str = "main"
    problems: ProblemReporter | None = None
    addresses: AddressBook | None = None


@dataclass(frozen=True, slots=True)
class DeliveryContext(PluginContext):
    """What a plugin's subscriber gets: its own context and, for remote effects, the event and what `prepare` returned.

    In `handle`, `prepare` and `complete` the session is that of the delivery's transaction; in `send` and `ask` there is none.
    """

    event: Any = None
    request: Any = None
