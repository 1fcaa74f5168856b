"""Opening units of work: one session, one tenant, one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, select
from sqlalchemy.orm import sessionmaker

from core.kernel.errors import NotFound
from core.runtime.db.engine import make_engine
from core.runtime.tenancy.models import Tenant
from core.runtime.tenancy.scope import SYSTEM, Actor, Scope, no_scope, tenant_scope
from core.runtime.tenancy.session import TenantSession


class TenantUnknown(NotFound):
    """There is no such tenant."""

    code = "tenancy.unknown"


class Database:
    """The application's door to PostgreSQL, as the role that row-level security holds.

    `unit` opens a transaction for one tenant, `platform` one without a tenant (tenants and accounts only). Both commit at the end of the
    block and roll back when it raises. `vault` is handed on to every session (`core.runtime.security.vault.vault_of`).
    """

    def __init__(self, url: str, *, pool_size: int = 5, name: str = "oms", vault: object | None = None) -> None:
        self.engine: Engine = make_engine(url, pool_size=pool_size, name=name)
        self.make_session = sessionmaker(self.engine, class_=TenantSession, expire_on_commit=False, info={"vault": vault})

    @contextmanager
    def unit(self, scope: Scope) -> Iterator[TenantSession]:
        """A transaction for the scope's tenant; the scope is open inside the block."""
        with tenant_scope(scope), self.make_session() as session, session.begin():
            yield session

    @contextmanager
    def tenant(self, slug: str, actor: Actor = SYSTEM) -> Iterator[TenantSession]:
        """A transaction for the tenant with this slug. Raises TenantUnknown."""
        with self.unit(self.scope_of(slug, actor)) as session:
            yield session

    @contextmanager
    def platform(self) -> Iterator[TenantSession]:
        """A transaction outside every tenant: tenant tables raise, accounts and tenants can be read and written."""
        with no_scope(), self.make_session() as session, session.begin():
            yield session

    def scope_of(self, slug: str, actor: Actor = SYSTEM) -> Scope:
        """The scope for a tenant's slug. Raises TenantUnknown - no such tenant, or it is switched off."""
        with self.platform() as session:
            row = session.execute(select(Tenant.id).where(Tenant.slug == slug, Tenant.is_active)).scalar_one_or_none()
        if row is None:
            raise TenantUnknown(slug=slug)
        return Scope(tenant_id=row, slug=slug, actor=actor)

    def tenants(self) -> list[Scope]:
        """Scopes of all active tenants, by id."""
        with self.platform() as session:
            rows = session.execute(select(Tenant.id, Tenant.slug).where(Tenant.is_active).order_by(Tenant.id)).all()
        return [Scope(tenant_id=row.id, slug=row.slug) for row in rows]

    def dispose(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()
