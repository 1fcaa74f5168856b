"""Tries to get out of its transaction and its tenant, in every way a mistake could."""

from sqlalchemy import text
from sqlalchemy.orm import Mapped, object_session

from core.sdk import hookimpl
from core.sdk.models import Base, TenantOwned
from tests.toy_hooks import Rule

PLUGIN = {"id": "toy_escapes", "version": "1.0.0", "libraries": ["sqlalchemy"], "tables": ["plg_toy_escapes_note"]}


class Note(TenantOwned, Base):
    """Something to write."""

    __tablename__ = "plg_toy_escapes_note"

    text: Mapped[str]


def _real(ctx):
    note = Note(text="mine")
    ctx.session.add(note)
    ctx.session.flush()
    return object_session(note)


def _foreign(ctx, tenant_id):
    ctx.session.add(Note(tenant_id=tenant_id, text="theirs"))
    ctx.session.flush()


def _foreign_raw(ctx, tenant_id):
    ctx.session.execute(text("INSERT INTO plg_toy_escapes_note (tenant_id, text) VALUES (:t, 'theirs')"), {"t": tenant_id})


def _switch(ctx, tenant_id):
    ctx.session.execute(text("SELECT set_config('app.tenant', :t, true)"), {"t": str(tenant_id)})


WAYS = {
    "commit": lambda ctx, _n: ctx.session.commit(),
    "rollback": lambda ctx, _n: ctx.session.rollback(),
    "close": lambda ctx, _n: ctx.session.close(),
    "real_commit": lambda ctx, _n: _real(ctx).commit(),
    "real_rollback": lambda ctx, _n: _real(ctx).rollback(),
    "connection_commit": lambda ctx, _n: _real(ctx).connection().commit(),
    "connection_rollback": lambda ctx, _n: _real(ctx).connection().rollback(),
    "sql_commit": lambda ctx, _n: ctx.session.execute(text("COMMIT")),
    "sql_rollback": lambda ctx, _n: _real(ctx).connection().exec_driver_sql("/* so */ rollback"),
    "two_statements": lambda ctx, _n: ctx.session.execute(text("SELECT 1; COMMIT")),
    "set": lambda ctx, n: ctx.session.execute(text(f"SET LOCAL app.tenant = '{n}'")),
    "reset": lambda ctx, _n: ctx.session.execute(text("RESET ALL")),
    "switch": _switch,
    "truncate": lambda ctx, _n: ctx.session.execute(text("TRUNCATE plg_toy_escapes_note")),
    "foreign": _foreign,
    "foreign_raw": _foreign_raw,
    "broken_sql": lambda ctx, _n: ctx.session.execute(text("SELECT no_such_column FROM plg_toy_escapes_note")),
}


@hookimpl
def register_rules():
    return [Rule(f"toy_escapes.{name}", way) for name, way in WAYS.items()]
