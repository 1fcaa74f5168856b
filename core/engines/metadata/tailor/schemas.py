"""The schemas of all tenants in this process: compiled once a version, found again by version, the longest unused ones forgotten."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.engines.configuration.changes import Draft
from core.engines.configuration.models import CHANGED
from core.engines.configuration.queries import present_draft, present_serial
from core.engines.metadata.entity import EntityRegistry
from core.engines.metadata.stored import FieldSlot
from core.engines.metadata.tailor.compiled import TenantSchema, compile_schema, own_permissions
from core.runtime.security.keyring import tenant_id_of
from core.runtime.security.permission import Permission

CACHE_SIZE = 200


class Schemas:
    """What each tenant has made of the entity types; one per process. Safe for threads.

    A request that has read the tenant's epoch gives it: while it is the one that the kept schema was compared at, no query is needed.
    """

    def __init__(self, base: EntityRegistry, *, size: int = CACHE_SIZE) -> None:
        self.base = base
        self._size = size
        self._plain = TenantSchema(base)
        self._kept: OrderedDict[int, tuple[int | None, TenantSchema]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, session: Session, *, epoch: int | None = None) -> TenantSchema:
        """The schema of the session's tenant as of now."""
        tenant = tenant_id_of(session)
        with self._lock:
            kept = self._kept.get(tenant)
            if kept is not None:
                self._kept.move_to_end(tenant)
                if epoch is not None and kept[0] == epoch:
                    return kept[1]
        version = present_serial(session)
        if session.info.get(CHANGED):
            # What this transaction changed may yet be rolled back, and its number be taken by another change.
            return self._made(session, version)
        schema = kept[1] if kept is not None and kept[1].version == version else self._made(session, version)
        with self._lock:
            self._kept[tenant] = (epoch, schema)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return schema

    def drafted(self, session: Session, draft: Draft) -> TenantSchema:
        """The schema that a configuration would give; fields that have no place yet get one for the look of it."""
        slots = self._slots(session)
        for body in draft.of("field").values():
            slots.setdefault((body["entity"], body["key"]), f"?{body['key']}")
        return compile_schema(self.base, draft, slots)

    def _made(self, session: Session, version: int) -> TenantSchema:
        if version == 0:
            return self._plain
        return compile_schema(self.base, present_draft(session), self._slots(session), version=version)

    def _slots(self, session: Session) -> dict[tuple[str, str], str]:
        rows = session.execute(select(FieldSlot.entity, FieldSlot.key, FieldSlot.slot))
        return {(row.entity, row.key): row.slot for row in rows}


def permissions_of(schemas: Schemas) -> Callable[[Session, int | None], list[Permission]]:
    """A function that names the permissions that only a session's tenant has, as of an epoch that the caller has read."""

    def own(session: Session, epoch: int | None) -> list[Permission]:
        return own_permissions(schemas.of(session, epoch=epoch))

    return own
