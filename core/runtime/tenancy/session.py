"""The session class with the first wall: filter on every ORM statement, guard on every flush, setting at every begin."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, UOWTransaction, with_loader_criteria

from core.kernel.errors import Denied
from core.runtime.db.base import TenantScoped, Versioned
from core.runtime.db.direct import fetch, run_on
from core.runtime.tenancy.scope import Scope, ScopeChanged, ScopeMissing, current_scope

_SET_TENANT = "SELECT set_config('app.tenant', %(tenant)s, true) AS tenant, set_config('app.user', %(user)s, true) AS person"
_TENANT_KEY = "tenant_id"


class ForeignRow(Denied):
    """A row of another tenant was about to be written."""

    code = "tenancy.foreign_row"


class TenantSession(Session):
    """A session that belongs to the scope it first begins in. Services never commit it; request, job or command does."""


def bound_tenant(session: Session) -> int | None:
    """The tenant this session belongs to, or None while it has touched no tenant."""
    tenant: int | None = session.info.get(_TENANT_KEY)
    return tenant


def bind_scope(session: Session, scope: Scope) -> None:
    """Tie `session` to the scope; on a transaction that is open already the database setting follows at once.

    Raises: ScopeChanged - the session belongs to another tenant.
    """
    bound = bound_tenant(session)
    if bound is not None and bound != scope.tenant_id:
        raise ScopeChanged(open=bound, wanted=scope.tenant_id)
    session.info[_TENANT_KEY] = scope.tenant_id
    if session.in_transaction():
        fetch(session, _SET_TENANT, {"tenant": str(scope.tenant_id), "user": _user_of(scope)})


def _user_of(scope: Scope | None) -> str:
    return scope.actor.id if scope is not None and scope.actor.kind == "user" else ""


@event.listens_for(TenantSession, "after_begin")
def _announce_tenant(session: Session, _transaction: SessionTransaction, connection: Any) -> None:
    scope = current_scope()
    bound = bound_tenant(session)
    if scope is not None:
        if bound is not None and bound != scope.tenant_id:
            raise ScopeChanged(open=bound, wanted=scope.tenant_id)
        session.info[_TENANT_KEY] = bound = scope.tenant_id
    user = _user_of(scope) or session.info.get("user_id", "")
    if bound is None and not user:
        return
    run_on(connection, _SET_TENANT, {"tenant": "" if bound is None else str(bound), "user": str(user)})


def _touches_tenant(state: ORMExecuteState) -> bool:
    return any(issubclass(mapper.class_, TenantScoped) for mapper in state.all_mappers)


@event.listens_for(TenantSession, "do_orm_execute")
def _confine(state: ORMExecuteState) -> None:
    if state.is_column_load or not (state.is_select or state.is_update or state.is_delete):
        return
    scope = current_scope()
    bound = bound_tenant(state.session)
    if scope is None:
        if _touches_tenant(state) and not state.execution_options.get("own_rows", False):
            raise ScopeMissing
        return
    if bound is not None and bound != scope.tenant_id:
        raise ScopeChanged(open=bound, wanted=scope.tenant_id)
    tenant_id = scope.tenant_id

    state.statement = state.statement.options(
        with_loader_criteria(TenantScoped, lambda cls: cls.tenant_id == tenant_id, include_aliases=True)
    )


@event.listens_for(TenantSession, "before_flush")
def _guard_rows(session: Session, _context: UOWTransaction, _instances: Any) -> None:
    touched = [row for row in (*session.new, *session.dirty, *session.deleted) if isinstance(row, TenantScoped)]
    if not touched:
        return
    scope = current_scope()
    if scope is None:
        raise ScopeMissing
    for row in touched:
        if row.tenant_id is None:
            row.tenant_id = scope.tenant_id
        elif row.tenant_id != scope.tenant_id:
            raise ForeignRow(table=type(row).__tablename__)  # type: ignore[attr-defined]
    for row in session.dirty:
        if isinstance(row, Versioned) and session.is_modified(row, include_collections=False):
            row.row_version = (row.row_version or 0) + 1
