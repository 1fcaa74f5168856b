"""Hosts that a tenant's own people let a plugin talk to, such as the receivers of their webhooks.

A plugin may ask for one only when its manifest says `egress_by_tenant`, only while a person, a token or the operator acts, and for one
address per thing of its own (`reference`). Each grant is a row, is audited, and goes away with the thing. The address is checked again
whenever a request leaves: private ones stay refused unless the operator allows them.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from core.kernel.errors import Denied
from core.runtime.plugin_host.addresses import Destination, destination_of
from core.runtime.plugin_host.errors import HostNotAllowed
from core.runtime.plugin_host.journal import Who
from core.runtime.plugin_host.models import PluginEgress
from core.runtime.security.audit import record
from core.runtime.tenancy.scope import require_scope

MAX_GRANTS = 200
GRANTERS = ("user", "token", "system")
_SUBJECT = "plugin"


class TooManyHosts(HostNotAllowed):
    """No further addresses can be added for this plugin."""

    code = "plugin.too_many_hosts"


class GrantDenied(Denied):
    """Only people can allow an address."""

    code = "plugin.grant_denied"


def pattern_of(destination: Destination) -> str:
    """Host and port of a destination, as an entry of an allow-list."""
    name = f"[{destination.host}]" if ":" in destination.host else destination.host
    return f"{name}:{destination.port}"


def granted_hosts(session: Session, plugin: str, instance: str) -> tuple[str, ...]:
    """The hosts granted to a set-up of the session's tenant, as entries of an allow-list."""
    statement = select(PluginEgress.host).where(PluginEgress.plugin == plugin, PluginEgress.instance == instance).distinct()
    return tuple(session.scalars(statement.order_by(PluginEgress.host)))


class AddressGrants:
    """`ctx.addresses` of one call; implements `core.runtime.plugin_host.context.AddressBook`."""

    __slots__ = ("_check", "_session", "_who")

    def __init__(self, session: Session, who: Who, check: Callable[[Destination], None]) -> None:
        self._session = session
        self._who = who
        self._check = check

    def allow(self, reference: str, url: str) -> str:
        """Let the plugin talk to the host of `url` for the thing `reference`, instead of the host it had before.

        Returns host and port. The same again changes nothing. Raises: HostNotAllowed - no address that may be called, with `reason`;
        GrantDenied - a plugin or a workflow acts by itself; TooManyHosts.
        """
        self._require_person()
        destination = destination_of(url)
        self._check(destination)
        host = pattern_of(destination)
        row = self._session.scalars(self._chosen(reference).with_for_update()).one_or_none()
        if row is not None and row.host == host:
            return host
        before = row.host if row is not None else None
        if row is None:
            self._refuse_if_full()
            self._session.add(PluginEgress(plugin=self._who.plugin, instance=self._who.instance, reference=reference, host=host))
        else:
            row.host = host
        self._session.flush()
        self._note("plugin.host_allowed", reference, [before, host])
        return host

    def withdraw(self, reference: str) -> None:
        """Take back what was allowed for `reference`, if anything was. Raises GrantDenied."""
        self._require_person()
        row = self._session.scalars(self._chosen(reference)).one_or_none()
        if row is None:
            return
        self._session.delete(row)
        self._session.flush()
        self._note("plugin.host_withdrawn", reference, [row.host, None])

    def _chosen(self, reference: str) -> Select[PluginEgress]:
        return select(PluginEgress).where(
            PluginEgress.plugin == self._who.plugin, PluginEgress.instance == self._who.instance, PluginEgress.reference == reference
        )

    def _require_person(self) -> None:
        if require_scope().actor.kind not in GRANTERS:
            raise GrantDenied(plugin=self._who.plugin)

    def _refuse_if_full(self) -> None:
        mine = (PluginEgress.plugin == self._who.plugin) & (PluginEgress.instance == self._who.instance)
        if (self._session.scalar(select(func.count()).select_from(PluginEgress).where(mine)) or 0) >= MAX_GRANTS:
            raise TooManyHosts(plugin=self._who.plugin, most=MAX_GRANTS)

    def _note(self, action: str, reference: str, change: list[str | None]) -> None:
        record(self._session, action, _SUBJECT, f"{self._who.plugin}:{self._who.instance}", {"host": change, "for": [None, reference]})


class NoAddresses:
    """`ctx.addresses` where nothing can be granted: outside a transaction, or without `egress_by_tenant` in the manifest."""

    __slots__ = ("_plugin",)

    def __init__(self, plugin: str) -> None:
        self._plugin = plugin

    def allow(self, reference: str, url: str) -> str:  # noqa: ARG002 - the protocol's signature
        """Always refuses."""
        raise HostNotAllowed("The plugin's manifest does not let people add addresses.", plugin=self._plugin, reason="not_declared")

    def withdraw(self, reference: str) -> None:
        """Nothing was ever allowed."""
