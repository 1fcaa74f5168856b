"""`ctx.http`: outgoing HTTP of one plugin set-up, with allow-list, breaker, quota, deadline and recorder around the transport."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from core.kernel.clock import Clock
from core.kernel.errors import Invalid, OrderloomError
from core.kernel.jsontext import encode_json
from core.runtime.plugin_host.addresses import Destination, destination_of, is_listed, matches
from core.runtime.plugin_host.breakers import Breakers, Target
from core.runtime.plugin_host.context import HttpResponse
from core.runtime.plugin_host.contexts import HttpNeeds
from core.runtime.plugin_host.errors import AnswerLost, CannotConnect, EffectInDryRun, HostNotAllowed, RateLimited
from core.runtime.plugin_host.guarded import unguarded
from core.runtime.plugin_host.journal import CallRecord, Journal
from core.runtime.plugin_host.manifest import Quota
from core.runtime.plugin_host.problems import Problem
from core.runtime.plugin_host.quotas import Quotas
from core.runtime.plugin_host.transport import Transport

USER_AGENT = "Orderloom"
MAX_TIMEOUT_S = 60.0
MAX_QUOTA_WAIT_S = 1.0
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"
_OURS = ("host", "content-length", "transfer-encoding", "connection")


@dataclass(frozen=True, slots=True)
class Egress:
    """The shared parts of all outgoing HTTP of this process."""

    transport: Transport
    quotas: Quotas
    breakers: Breakers
    journal: Journal
    clock: Clock


class RequestInvalid(Invalid):
    """The request cannot be sent as asked."""

    code = "plugin.request_invalid"


class PluginHttp:
    """The client of one set-up for one unit of work; implements `core.runtime.plugin_host.context.HttpClient`."""

    def __init__(self, egress: Egress, needs: HttpNeeds) -> None:
        self._egress = egress
        self._needs = needs
        manifest = needs.plugin.manifest
        self._listed = (*manifest.egress, *_hosts_in(needs.settings.values, manifest.egress_from_settings), *needs.granted)

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
        """Send one request, without following redirects and without retrying; at most one of form, json, body.

        Raises: besides those that the protocol names, RateLimited (our own quota; `retry_after_s`), EffectInDryRun, RequestInvalid.
        """
        started_at, began = self._egress.clock.now(), time.monotonic()
        content, content_type = _encoded(form, json, body)
        sent = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", **({"Content-Type": content_type} if content_type else {})}
        sent |= _checked_headers(headers or {})
        note = _Note(self, method.upper(), started_at, began, content or b"", sent.get("Content-Type", ""))
        with unguarded():  # breaker, quota and journal keep their books in transactions of their own
            try:
                note.destination = self._destination(_with_params(url, params))
                response = self._exchanged(note.destination, method.upper(), sent, content, min(timeout_s, MAX_TIMEOUT_S))
            except OrderloomError as error:
                note.ended(error=error)
                raise
            note.ended(response=response)
        return response

    def _destination(self, url: str) -> Destination:
        if self._needs.dry_run:
            raise EffectInDryRun(plugin=self._needs.who.plugin)
        destination = destination_of(url)
        if not is_listed(self._listed, destination):
            host = destination.host
            self._egress.journal.report(
                self._needs.who, Problem(f"egress:{host}", "plugin.host_not_allowed", "warning", {"host": host}, fix="configure")
            )
            raise HostNotAllowed("The host is not on the plugin's list.", host=host, reason="unlisted")
        return destination

    def _exchanged(
        self, destination: Destination, method: str, headers: Mapping[str, str], content: bytes | None, timeout_s: float
    ) -> HttpResponse:
        target = Target(self._needs.who, destination.host)
        was_probe = self._egress.breakers.admit(target)
        self._wait_for_turn(target, destination)
        try:
            response = self._egress.transport.send(
                destination, method, headers={"Host": destination.authority, **headers}, body=content, timeout_s=timeout_s
            )
        except (CannotConnect, AnswerLost):
            self._egress.breakers.failed(target)
            raise
        if response.status >= 500:
            self._egress.breakers.failed(target)
        else:
            self._egress.breakers.succeeded(target, was_probe=was_probe)
        return response

    def _wait_for_turn(self, target: Target, destination: Destination) -> None:
        quota = self._quota_for(destination)
        if quota is None:
            return
        wait_s = self._egress.quotas.take(target, quota)
        if 0 < wait_s <= MAX_QUOTA_WAIT_S:
            time.sleep(wait_s)
            wait_s = self._egress.quotas.take(target, quota)
        if wait_s > 0:
            raise RateLimited("Our own quota for this host is used up.", host=destination.host, retry_after_s=round(wait_s, 3))

    def _quota_for(self, destination: Destination) -> Quota | None:
        quotas = self._needs.plugin.manifest.quota
        return next((quota for host, quota in quotas.items() if matches(_any_port(host), destination.host, destination.port)), None)


@dataclass(slots=True)
class _Note:
    """One request on its way into the journal."""

    client: PluginHttp
    method: str
    started_at: datetime
    began: float
    content: bytes
    content_type: str
    destination: Destination | None = None

    def ended(self, *, response: HttpResponse | None = None, error: OrderloomError | None = None) -> None:
        client, redactor = self.client, self.client._needs.redactor  # noqa: SLF001 - the same module, one object in two parts
        host = self.destination.host if self.destination is not None else ""
        path, _, query = self.destination.path.partition("?") if self.destination is not None else ("", "", "")
        detail: dict[str, Any] = {"method": self.method, "host": redactor.text(host), "path": redactor.text(path)}
        detail |= {"query": redactor.body(query.encode(), _FORM)} if query else {}
        detail |= {"request": redactor.body(self.content, self.content_type)} if self.content else {}
        if response is not None:
            detail |= {"status": response.status, "bytes": len(response.body)}
            if response.status >= 400 or len(response.body) <= 2048:
                detail["answer"] = redactor.body(response.body, response.headers.get("content-type", ""))
        if error is not None:
            detail["reason"] = str(error.facts.get("reason", ""))
        is_ok = response is not None and response.status < 500
        record = CallRecord(
            "http",
            f"{self.method} {detail['host'] or 'nowhere'}",
            "ok" if is_ok else "refused" if isinstance(error, HostNotAllowed | EffectInDryRun) else "failed",
            self.started_at,
            time.monotonic() - self.began,
            code=error.code if error is not None else "",
            trace=client._needs.trace,  # noqa: SLF001 - as above
            detail=detail,
        )
        client._egress.journal.note(client._needs.who, record)  # noqa: SLF001 - as above


def _encoded(form: Mapping[str, str] | None, json: Any, body: bytes | None) -> tuple[bytes | None, str]:
    if sum(part is not None for part in (form, json, body)) > 1:
        raise RequestInvalid("Give at most one of form, json and body.")
    if form is not None:
        return urlencode(form).encode("ascii"), f"{_FORM}; charset=utf-8"
    if json is not None:
        return encode_json(json).encode(), _JSON
    return body, ""


def _with_params(url: str, params: Mapping[str, str] | None) -> str:
    if not params:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(params)}"


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers as they may be sent: printable ASCII, and none that decides about connection, host or framing."""
    for name, value in headers.items():
        text = f"{name}{value}"
        if name.lower() in _OURS or not text.isprintable() or not text.isascii():
            raise RequestInvalid("A header cannot be sent.", field=name)
    return {
        name.title() if name.lower() in ("content-type", "accept-encoding", "user-agent") else name: value
        for name, value in headers.items()
    }


def _hosts_in(settings: Mapping[str, Any], names: tuple[str, ...]) -> tuple[str, ...]:
    """The hosts, with port, of the addresses that the named settings hold; settings that are empty or unreadable add none."""
    found: list[str] = []
    for name in names:
        try:
            destination = destination_of(str(settings.get(name) or ""))
        except HostNotAllowed:
            continue
        found.append(f"[{destination.host}]:{destination.port}" if ":" in destination.host else f"{destination.host}:{destination.port}")
    return tuple(found)


def _any_port(host: str) -> str:
    return host if ":" in host else f"{host}:*"
