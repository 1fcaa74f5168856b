"""The tables: subscriptions, one message per event and subscription, and each attempt to deliver one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Integer, LargeBinary, SmallInteger, Text, Uuid, func, text
from sqlalchemy.orm import Mapped, mapped_column

from core.sdk.models import Base, TenantOwned, Versioned, tenant_index, tenant_ref, tenant_table, tenant_unique

STATES = ("waiting", "retrying", "delivered", "failed", "held")
PAUSES = ("", "by_hand", "failures", "gone")


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in values)})", name=column)


class Hook(TenantOwned, Base, Versioned):
    """One subscription. It is active while `paused` is empty.

    `events` are kinds, or beginnings of kinds that end in a dot. `secret` is sealed; `former_secret` still signs, too, until
    `former_until`. `failures` counts failed attempts since the last success, the first of which was at `failing_since`.
    """

    __tablename__ = "plg_outbound_webhooks_hook"
    __audited__ = "webhook"
    __audit_secret__ = ("secret", "former_secret")
    __table_args__ = tenant_table(tenant_unique("name"), _one_of("paused", PAUSES))

    name: Mapped[str]
    url: Mapped[str]
    events: Mapped[list[str]]
    paused: Mapped[str] = mapped_column(server_default=text("''"), default="")
    paused_at: Mapped[datetime | None]
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    secret_hint: Mapped[str] = mapped_column(server_default=text("''"), default="")
    former_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    former_until: Mapped[datetime | None]
    rotated_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(Integer, server_default=text("0"), default=0)
    failing_since: Mapped[datetime | None]
    last_at: Mapped[datetime | None]


class Message(TenantOwned, Base):
    """One event for one subscription. `body` is what is sent, the same on every attempt.

    States: waiting → delivered, or retrying → delivered or failed; held while its subscription is paused. `turn` counts up with every
    replay, so that what is still on its way of an earlier one does nothing.
    """

    __tablename__ = "plg_outbound_webhooks_message"
    __table_args__ = tenant_table(
        tenant_unique("hook_id", "event_id"),
        tenant_ref("hook_id", "plg_outbound_webhooks_hook", ondelete="CASCADE"),
        tenant_index("ix_plg_outbound_webhooks_message_log", "hook_id", "id"),
        tenant_index("ix_plg_outbound_webhooks_message_state", "hook_id", "state", "id"),
        _one_of("state", STATES),
    )

    hook_id: Mapped[UUID] = mapped_column(Uuid())
    event_id: Mapped[UUID] = mapped_column(Uuid())
    kind: Mapped[str]
    subject: Mapped[str]
    seq: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    body: Mapped[str] = mapped_column(Text)
    is_test: Mapped[bool] = mapped_column(server_default=text("false"), default=False)
    state: Mapped[str] = mapped_column(server_default=text("'waiting'"), default="waiting")
    turn: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"), default=1)
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"), default=0)
    next_at: Mapped[datetime | None]
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]


class Attempt(TenantOwned, Base):
    """One request. It is written before the request leaves; without `took_ms` nobody knows how it ended.

    `status` is None when there was no answer, `code` the error's code then; `answer` is the beginning of the answer.
    """

    __tablename__ = "plg_outbound_webhooks_attempt"
    __table_args__ = tenant_table(
        tenant_unique("message_id", "number"),
        tenant_ref("message_id", "plg_outbound_webhooks_message", ondelete="CASCADE"),
    )

    message_id: Mapped[UUID] = mapped_column(Uuid())
    number: Mapped[int] = mapped_column(Integer)
    started_at: Mapped[datetime]
    took_ms: Mapped[int | None] = mapped_column(Integer)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    code: Mapped[str] = mapped_column(server_default=text("''"), default="")
    answer: Mapped[str] = mapped_column(Text, server_default=text("''"), default="")
