"""From configuration to entity types: the code's descriptions with a tenant's own fields, and the tenant's own entity types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.engines.configuration.changes import Body, Draft
from core.engines.metadata.entity import Choice, EntityRegistry, EntityType, Field, FieldType, Related, Rollup
from core.engines.metadata.rollups import REGISTRY
from core.engines.metadata.stored import CustomRecord
from core.engines.metadata.tailor.computing import Computing, needs_sight
from core.engines.metadata.tailor.own import OwnRecords
from core.kernel.messages import N_
from core.runtime.security.permission import Permission

CUSTOM = "custom"
#: Fields that every record of a tenant's own entity type has.
RECORD_FIELDS = (
    Field("title", "Name", FieldType.TEXT, is_writable=False, is_filterable=True, is_sortable=True),
    Field("created_at", "Created", FieldType.DATETIME, is_writable=False),
    Field("updated_at", "Changed", FieldType.DATETIME, is_writable=False),
)
PARENT = Field("parent_id", "Belongs to", FieldType.REFERENCE, is_required=True, create_only=True, is_filterable=True)
VERBS = (
    ("read", N_("See the records")),
    ("write", N_("Add and change records")),
    ("delete", N_("Delete records")),
    ("export", N_("Export records")),
)
_TYPES = {
    "number": FieldType.TEXT,
    "rollup": FieldType.DECIMAL,
}
_UNFILTERED = frozenset({FieldType.JSON, FieldType.FILE, FieldType.LONG_TEXT, FieldType.ADDRESS})
_SORTABLE = frozenset(FieldType) - _UNFILTERED - {FieldType.CHOICES, FieldType.TAGS}
Slots = Mapping[tuple[str, str], str]


class TenantSchema(EntityRegistry):
    """The entity types as one tenant sees them at one version of its configuration. Immutable once it is made.

    Types that the tenant left alone are the code's own objects. `slots` leads from a slot to its field, archived ones too.
    """

    def __init__(self, base: EntityRegistry, *, version: int = 0, draft: Draft | None = None) -> None:
        super().__init__()
        self.version = version
        self.draft = draft or Draft()
        self.slots: dict[str, tuple[str, Field]] = {}
        #: How its computed fields were settled, with what is wrong with some.
        self.computing: Computing | None = None
        #: What readers see of it, by reader (`sight.seen_by`).
        self.sights: dict[Any, TenantSchema] = {}
        self._by_key.update({entity.key: entity for entity in base})
        self._by_resource.update({entity.resource: entity for entity in base})

    def put(self, entity: EntityType) -> None:
        """Add an entity type, or take it in place of the one with its key."""
        self._by_key[entity.key] = entity
        self._by_resource[entity.resource] = entity

    @property
    def own(self) -> list[EntityType]:
        """The entity types that only this tenant has."""
        return [entity for entity in self if is_own(entity)]

    def children_of(self, key: str) -> list[EntityType]:
        """The entity types whose records belong to records of this one."""
        return [entity for entity in self if entity.parent is not None and entity.parent[0] == key]


def is_own(entity: EntityType) -> bool:
    """Whether the entity type is a tenant's own."""
    return entity.key.startswith(f"{CUSTOM}.")


def own_key(key: str) -> str:
    """The registry's key of a tenant's own entity type."""
    return f"{CUSTOM}.{key}"


def resource_of(body: Body) -> str:
    """The resource name of a tenant's own entity type: the one it was given, else one made of its key."""
    return body.get("resource") or body["key"].replace("_", "-")


def compile_schema(base: EntityRegistry, draft: Draft, slots: Slots, *, version: int = 0) -> TenantSchema:
    """The schema that a configuration describes. `slots` tells where each field's values lie; a field without one is left out."""
    schema = TenantSchema(base, version=version, draft=draft)
    given = _fields_by_entity(draft, slots, schema)
    schema.computing = computing = Computing(base, given, _fixed_fields(draft))
    fields = {key: _settled(computing, key, found) for key, found in given.items()}
    for body in _ordered(draft.of("entity")):
        if not body.get("archived"):
            schema.put(_own_entity(body, fields.get(own_key(body["key"]), [])))
    for key, found in fields.items():
        if not key.startswith(f"{CUSTOM}.") and (entity := schema.find(key)) is not None:
            schema.put(_extended(entity, found))
    _relabel(schema, draft)
    for entity in schema.own:
        if entity.parent is not None and (parent := schema.find(entity.parent[0])) is not None:
            related = Related(entity.key, entity.parent[1], entity.label_plural)
            schema.put(replace(parent, related=(*parent.related, related)))
    _relate(schema)
    tie(schema)
    return schema


def tie(schema: TenantSchema) -> None:
    """Let the entity types that sum up others' records find them in this schema."""
    for entity in schema:
        if needs_sight(entity):
            entity.memo[REGISTRY] = schema


def _fixed_fields(draft: Draft) -> dict[str, tuple[Field, ...]]:
    """The fields that the tenant's own entity types have whatever the tenant adds."""
    found = {}
    for body in draft.of("entity").values():
        if not body.get("archived"):
            reference = (replace(PARENT, target=body["parent"]),) if body.get("parent") else ()
            found[own_key(body["key"])] = (*RECORD_FIELDS, *reference)
    return found


def _settled(computing: Computing, entity: str, given: list[tuple[Field, Body]]) -> list[tuple[Field, Body]]:
    """The fields as they are; computed ones that are wrong are left out."""
    found = [(computing.field(entity, item.key), body) for item, body in given]
    return [(item, body) for item, body in found if item is not None]


def _relate(schema: TenantSchema) -> None:
    """Let records list those that refer to them by a field of the tenant."""
    for entity in list(schema):
        for item in entity.fields:
            target = schema.find(item.target) if item.slot and item.type is FieldType.REFERENCE and item.is_filterable else None
            if target is not None:
                schema.put(replace(target, related=(*target.related, Related(entity.key, item.key, entity.label_plural))))


def _ordered(bodies: Mapping[str, Body]) -> list[Body]:
    return sorted(bodies.values(), key=lambda body: (body.get("position", 0), body["key"]))


def _fields_by_entity(draft: Draft, slots: Slots, schema: TenantSchema) -> dict[str, list[tuple[Field, Body]]]:
    found: dict[str, list[tuple[Field, Body]]] = {}
    for body in _ordered(draft.of("field")):
        slot = slots.get((body["entity"], body["key"]), "")
        item = field_of(body, slot)
        if slot:
            schema.slots[slot] = (body["entity"], item)
        if not body.get("archived") and (item.slot or item.is_computed):
            found.setdefault(body["entity"], []).append((item, body))
    return found


def field_of(body: Body, slot: str) -> Field:
    """The description of a tenant's field."""
    kind = body["type"]
    is_computed = kind in ("formula", "rollup")
    shown = FieldType(body.get("result") or "text") if kind == "formula" else _TYPES.get(kind) or FieldType(kind)
    rollup = None
    if kind == "rollup":
        given = body.get("rollup") or {"entity": "", "via": ""}
        rollup = Rollup(given["entity"], given["via"], given.get("use", "count"), given.get("of", ""), given.get("where"))
        shown = FieldType(body.get("result") or ("integer" if rollup.use == "count" else "decimal"))
    is_sealed = bool(body.get("sealed"))
    can_filter = bool(body.get("filterable", True)) and shown not in _UNFILTERED and not is_computed
    return Field(
        key=body["key"],
        label=body["label"],
        type=shown,
        help=body.get("help", ""),
        is_required=bool(body.get("required")) and not is_computed,
        is_writable=not is_computed and kind != "number",
        is_filterable=can_filter,
        is_sortable=can_filter and shown in _SORTABLE and not is_sealed,
        is_personal=bool(body.get("personal")) or is_sealed,
        max_length=body.get("max_length", 200),
        minimum=body.get("minimum"),
        maximum=body.get("maximum"),
        pattern=body.get("pattern", ""),
        choices=tuple(
            Choice(one["value"], one.get("label") or one["value"], one.get("kind", "neutral")) for one in body.get("choices", ())
        ),
        target=body.get("target") or "",
        currency=body.get("currency") or "",
        default=body.get("default"),
        slot="" if is_computed else slot,
        is_unique=bool(body.get("unique")),
        is_sealed=is_sealed,
        formula=body.get("formula", "") if kind == "formula" else "",
        rollup=rollup,
        series=body.get("series", "") if kind == "number" else "",
        visible_if=body.get("visible_if"),
        required_if=body.get("required_if"),
        digits=body.get("digits"),
    )


def _relabel(schema: TenantSchema, draft: Draft) -> None:
    """Give values of choices the words and colours that the business uses."""
    said: dict[tuple[str, str], dict[str, Body]] = {}
    for body in draft.of("label").values():
        said.setdefault((body["entity"], body["field"]), {})[body["value"]] = body
    for (key, name), words in said.items():
        entity = schema.find(key)
        if entity is None or name not in entity.by_key:
            continue
        choices = tuple(_relabelled(one, words.get(one.value)) for one in entity.by_key[name].choices)
        fields = tuple(replace(item, choices=choices) if item.key == name else item for item in entity.fields)
        schema.put(replace(entity, fields=fields))


def _relabelled(choice: Choice, words: Body | None) -> Choice:
    if words is None:
        return choice
    return replace(choice, label=words.get("label") or choice.label, kind=words.get("kind") or choice.kind)


def _extended(entity: EntityType, found: list[tuple[Field, Body]]) -> EntityType:
    own = tuple(item for item, _body in found)
    listed = tuple(item.key for item, body in found if body.get("in_list"))
    forms = tuple(item.key for item in own if item.is_writable)
    return replace(
        entity,
        fields=(*entity.fields, *own),
        list_fields=(*entity.list_fields, *listed),
        form_fields=(*entity.form_fields, *forms),
    )


def _own_entity(body: Body, found: list[tuple[Field, Body]]) -> EntityType:
    key, own = own_key(body["key"]), tuple(item for item, _body in found)
    parent = body.get("parent")
    reference: tuple[Field, ...] = ()
    if parent:
        reference = (replace(PARENT, target=parent),)
    named = next((item for item in own if item.key == body.get("title")), None)
    title = replace(RECORD_FIELDS[0], label=named.label) if named is not None else RECORD_FIELDS[0]
    fields = (title, *reference, *own, *RECORD_FIELDS[1:])
    listed = tuple(item.key for item, one in found if one.get("in_list"))
    writer = OwnRecords(key, own, body.get("title", ""))
    return EntityType(
        key=key,
        resource=resource_of(body),
        model=CustomRecord,
        label=body["label"],
        label_plural=body["label_plural"],
        area=key,
        fields=fields,
        list_fields=("title", *listed) if listed else ("title", *[item.key for item in own if item is not named][:4], "updated_at"),
        form_fields=tuple(item.key for item in (*reference, *own) if item.is_writable),
        title_field="title",
        default_sort=("id", "desc"),
        search_entity=key,
        create=writer.create,
        update=writer.update,
        delete=writer.delete,
        menu=body.get("menu", "records"),
        icon=body.get("icon", "table"),
        help=body.get("help", ""),
        kind=("entity", key),
        parent=(parent, "parent_id") if parent else None,
    )




def own_permissions(schema: TenantSchema) -> list[Permission]:
    """What a role may be allowed to do with records of the tenant's own entity types."""
    return [Permission(f"{entity.area}.{verb}", label, entity.label_plural) for entity in schema.own for verb, label in VERBS]
