"""What tenants shape themselves: fields, entity types, layouts and rules as configuration, compiled into the tenant's own schema."""

from core.engines.metadata.tailor.compiled import TenantSchema, compile_schema, is_own, own_key, own_permissions
from core.engines.metadata.tailor.schemas import Schemas, permissions_of
from core.engines.metadata.tailor.sight import Reader, Sights, reader_of, seen_by

__all__ = [
    "Reader",
    "Schemas",
    "Sights",
    "TenantSchema",
    "compile_schema",
    "is_own",
    "own_key",
    "own_permissions",
    "permissions_of",
    "reader_of",
    "seen_by",
]
