"""The tables of the plugin host: what is installed, what each tenant has set up, and what happened around it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Integer, Numeric, SmallInteger, Uuid, func, text
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.runtime.db.base import JSON, Base, TenantOwned, Timestamped, Versioned, tenant_index, tenant_ref, tenant_table, tenant_unique

STATES = ("draft", "enabled", "paused", "disabling", "disabled", "purged")
SEVERITIES = ("info", "warning", "error", "critical")
BREAKER_STATES = ("closed", "open", "half_open")


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in values)})", name=column)


class PluginPackage(Base):
    """One plugin as this installation last saw it; belongs to the platform. The form is kept so that a broken plugin still shows it."""

    __tablename__ = "plugin_package"

    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    version: Mapped[str] = mapped_column(server_default=text("''"))
    state: Mapped[str]
    fault_code: Mapped[str] = mapped_column(server_default=text("''"))
    fault_message: Mapped[str] = mapped_column(server_default=text("''"))
    manifest: Mapped[JSON] = mapped_column(server_default=text("'{}'::jsonb"))
    form: Mapped[list[JSON]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class PluginInstance(TenantOwned, Base, Versioned):
    """One set-up of a plugin by a tenant. Plugins that allow many (one per shop account) have several, told apart by `instance`.

    `mode` says how a disabling instance treats work in flight. `priority` ranks plugins among those that nothing else orders, lower first.
    """

    __tablename__ = "plugin_instance"
    __table_args__ = tenant_table(tenant_unique("plugin", "instance"), _one_of("state", STATES))

    plugin: Mapped[str]
    instance: Mapped[str] = mapped_column(server_default=text("'main'"))
    title: Mapped[str] = mapped_column(server_default=text("''"))
    state: Mapped[str] = mapped_column(server_default=text("'draft'"))
    mode: Mapped[str] = mapped_column(server_default=text("''"))
    priority: Mapped[int] = mapped_column(Integer, server_default=text("100"))
    active_version: Mapped[int | None] = mapped_column(Integer)
    health: Mapped[str] = mapped_column(server_default=text("'ok'"))
    health_message: Mapped[str] = mapped_column(server_default=text("''"))
    health_at: Mapped[datetime | None]
    first_enabled_at: Mapped[datetime | None]


class PluginConfig(TenantOwned, Base, Timestamped):
    """One version of an instance's settings, never changed once saved. `secrets` maps a field to the sealed value it uses."""

    __tablename__ = "plugin_config"
    __table_args__ = tenant_table(tenant_unique("instance_id", "version"), tenant_ref("instance_id", "plugin_instance", ondelete="CASCADE"))

    instance_id: Mapped[UUID] = mapped_column(Uuid())
    version: Mapped[int] = mapped_column(Integer)
    values: Mapped[JSON] = mapped_column(server_default=text("'{}'::jsonb"))
    secrets: Mapped[JSON] = mapped_column(server_default=text("'{}'::jsonb"))
    plugin_version: Mapped[str] = mapped_column(server_default=text("''"))
    author: Mapped[str] = mapped_column(server_default=text("''"))
    note: Mapped[str] = mapped_column(server_default=text("''"))
    tested_at: Mapped[datetime | None]
    test_message: Mapped[str] = mapped_column(server_default=text("''"))
    is_test_ok: Mapped[bool | None]
    activated_at: Mapped[datetime | None]


class PluginSecret(TenantOwned, Base, Timestamped):
    """One sealed value of one field; configurations share it until it is replaced. `hint` is its end, when it is long enough to show."""

    __tablename__ = "plugin_secret"
    __table_args__ = tenant_table(
        tenant_index("ix_plugin_secret_instance", "instance_id"), tenant_ref("instance_id", "plugin_instance", ondelete="CASCADE")
    )

    instance_id: Mapped[UUID] = mapped_column(Uuid())
    field: Mapped[str]
    sealed: Mapped[bytes] = mapped_column(BYTEA)
    hint: Mapped[str] = mapped_column(server_default=text("''"))


class PluginEgress(TenantOwned, Base, Timestamped):
    """A host that the tenant's people let a plugin talk to, for one thing of the plugin (`reference`); `host` is name:port."""

    __tablename__ = "plugin_egress"
    __table_args__ = tenant_table(tenant_unique("plugin", "instance", "reference"))

    plugin: Mapped[str]
    instance: Mapped[str] = mapped_column(server_default=text("'main'"))
    reference: Mapped[str]
    host: Mapped[str]


class PluginProblem(TenantOwned, Base):
    """Something that is wrong with an instance until it is mended; the same trouble again counts up.

    `subjects` are the latest things touched, as `type:id`; `affected` counts how often one was. `fix` names an action of the page.
    """

    __tablename__ = "plugin_problem"
    __table_args__ = tenant_table(tenant_unique("plugin", "instance", "key"), _one_of("severity", SEVERITIES))

    plugin: Mapped[str]
    instance: Mapped[str]
    key: Mapped[str]
    severity: Mapped[str]
    code: Mapped[str]
    facts: Mapped[JSON] = mapped_column(server_default=text("'{}'::jsonb"))
    fix: Mapped[str] = mapped_column(server_default=text("''"))
    count: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    affected: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    subjects: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    first_seen: Mapped[datetime] = mapped_column(server_default=func.now())
    last_seen: Mapped[datetime] = mapped_column(server_default=func.now())
    resolved_at: Mapped[datetime | None]


class PluginCall(TenantOwned, Base):
    """One call worth remembering: every outgoing request, and each call of the plugin that did not go well. Pruned by age."""

    __tablename__ = "plugin_call"
    __append_only__ = False
    __table_args__ = tenant_table(tenant_index("ix_plugin_call_plugin", "plugin", "id"))

    plugin: Mapped[str]
    instance: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    outcome: Mapped[str]
    code: Mapped[str] = mapped_column(server_default=text("''"))
    elapsed_ms: Mapped[int] = mapped_column(Integer)
    subject: Mapped[str] = mapped_column(server_default=text("''"))
    trace: Mapped[str] = mapped_column(server_default=text("''"))
    detail: Mapped[JSON] = mapped_column(server_default=text("'{}'::jsonb"))
    started_at: Mapped[datetime]


class PluginUse(TenantOwned, Base):
    """How often one thing of a plugin was called within one hour, and how long that took."""

    __tablename__ = "plugin_use"
    __table_args__ = tenant_table(tenant_unique("plugin", "instance", "kind", "name", "hour"))

    plugin: Mapped[str]
    instance: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    hour: Mapped[datetime]
    calls: Mapped[int] = mapped_column(Integer)
    failures: Mapped[int] = mapped_column(Integer)
    total_ms: Mapped[int] = mapped_column(Integer)
    max_ms: Mapped[int] = mapped_column(Integer)


class PluginBreaker(TenantOwned, Base):
    """Breaker and quota of one target of a plugin: a host it calls, or a kind of hook that the host calls in it.

    `calls` and `failures` count within the window that began at `window_at`; `tokens` were left at `filled_at`.
    """

    __tablename__ = "plugin_breaker"
    __table_args__ = tenant_table(tenant_unique("plugin", "target"), _one_of("state", BREAKER_STATES))

    plugin: Mapped[str]
    target: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'closed'"))
    until: Mapped[datetime | None]
    window_at: Mapped[datetime] = mapped_column(server_default=func.now())
    calls: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    failures: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    successes: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    openings: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    tokens: Mapped[Decimal | None] = mapped_column(Numeric(12, 3))
    filled_at: Mapped[datetime | None]
