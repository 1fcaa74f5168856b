"""Entity types: one description from which lists, forms, filters, REST, exports and audit are generated."""

from core.engines.metadata.entity import (
    Action,
    Choice,
    EntityRegistry,
    EntityType,
    Field,
    FieldType,
    Queue,
    Related,
)

__all__ = ["Action", "Choice", "EntityRegistry", "EntityType", "Field", "FieldType", "Queue", "Related"]
