"""The kinds of configuration that shape entity types: `entity` and `field`, with what makes one right in the whole configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sqlalchemy.orm import Session

from core.engines.configuration.changes import Body, ChangeSet, Draft, Step
from core.engines.configuration.kinds import Impact, Kind, Problem
from core.engines.metadata.columns import CONDITION_TYPES, catalogue_of
from core.engines.metadata.custom import SERIES_PART
from core.engines.metadata.entity import EntityRegistry, EntityType, Field
from core.engines.metadata.stored import CustomRecord
from core.engines.metadata.tailor import shapes, slots
from core.engines.metadata.tailor.compiled import CUSTOM, RECORD_FIELDS, TenantSchema, compile_schema, field_of, own_key, resource_of
from core.engines.metadata.tailor.sight import Reader, filled
from core.engines.metadata.values import convert
from core.kernel.conditions import ConditionInvalid, parse_condition
from core.kernel.errors import Invalid
from core.kernel.messages import N_
from core.kernel.text import check_pattern
from core.runtime.db.base import Extensible

MAX_FIELDS, MAX_OF_ENTITY, MAX_ENTITIES = 1_000, 120, 100
_ACCESS_NAMES = ("entity", "field", "role")
_LISTED = ("choice", "choices")
_TEXTUAL = ("text", "long_text", "phone", "address", "url", "email")
_RESERVED = frozenset(dir(CustomRecord)) | {"id", *(item.key for item in RECORD_FIELDS)}


def metadata_kinds(base: EntityRegistry) -> list[Kind]:
    """The kinds of this package over the code's own entity types."""
    checks = _Checks(base)
    return [
        Kind(
            "entity",
            N_("Kinds of records"),
            shapes.EntityShape(),
            ("key",),
            rank=10,
            limit=MAX_ENTITIES,
            may_rename=False,
            check=checks.entity,
            impacts=checks.entity_impacts,
        ),
        Kind(
            "field",
            N_("Fields"),
            shapes.FieldShape(),
            ("entity", "key"),
            rank=20,
            limit=MAX_FIELDS,
            check=checks.field,
            impacts=checks.field_impacts,
            follow=lambda session, changes: slots.follow_fields(session, base, changes),
        ),
        Kind("label", N_("Words for choices"), shapes.LabelShape(), ("entity", "field", "value"), rank=30, check=checks.label),
        Kind("layout", N_("Layouts"), shapes.LayoutShape(), ("entity", "role"), rank=40, limit=300, check=checks.layout),
        Kind("view", N_("Saved views"), shapes.ViewShape(), ("entity", "key"), rank=50, limit=500, check=checks.view),
        Kind("rule", N_("Rules about records"), shapes.RuleShape(), ("key",), rank=60, limit=200, check=checks.rule),
        Kind("access", N_("Rights on fields"), shapes.AccessShape(), _ACCESS_NAMES, rank=70, limit=2_000, check=checks.access),
    ]


class _Checks:
    """The rules of the kinds, over the code's own entity types."""

    def __init__(self, base: EntityRegistry) -> None:
        self._base = base

    # Entity types

    def entity(self, draft: Draft, body: Body) -> Iterator[Problem]:
        """What is wrong with an entity type."""
        resource = resource_of(body)
        if self._base.by_resource(resource) is not None:
            yield Problem("resource", "This name is taken.")
        if sum(1 for other in draft.of("entity").values() if resource_of(other) == resource) > 1:
            yield Problem("resource", "Two kinds of records have this name.")
        parent = body.get("parent")
        if parent and not self._is_known(draft, parent):
            yield Problem("parent", "There is no such kind of record.")
        elif parent and self._has_cycle(draft, body):
            yield Problem("parent", "A kind of record cannot belong to itself.")
        elif parent and not body.get("archived") and _is_archived(draft, parent):
            yield Problem("parent", "This kind of record is archived.")
        title = body.get("title")
        named = draft.get("field", f"{own_key(body['key'])}/{title}") if title else None
        if title and named is None:
            yield Problem("title", "There is no such field.")
        elif title and any(draft.of("field")[f"{own_key(body['key'])}/{title}"].get(name) for name in ("sealed", "personal")):
            yield Problem("title", "Records cannot be called by a value that is kept back.")
        elif named is not None and (named.get("sealed") or named["type"] in (*slots.COMPUTED, "file", "json")):
            yield Problem("title", "Records cannot be called by a field of this type.")

    def _has_cycle(self, draft: Draft, body: Body) -> bool:
        seen, at = {body["key"]}, body.get("parent")
        while at and at.startswith(f"{CUSTOM}."):
            key = at.partition(".")[2]
            if key in seen:
                return True
            seen.add(key)
            at = (draft.get("entity", key) or {}).get("parent")
        return False

    def entity_impacts(self, _session: Session, _changes: ChangeSet, step: Step) -> Iterable[Impact]:
        """What a change of an entity type does."""
        if step.before is not None and (step.after is None or (step.after.get("archived") and not step.before.get("archived"))):
            yield Impact("entity", step.key, "warn", "Its records and fields are no longer shown; they stay stored.")

    # Fields

    def field(self, draft: Draft, body: Body) -> Iterator[Problem]:
        """What is wrong with a field."""
        entity, key, kind = body["entity"], body["key"], body["type"]
        if not self._is_known(draft, entity):
            yield Problem("entity", "There is no such kind of record.")
            return
        known = self._base.find(entity)
        if known is not None and not issubclass(known.model, Extensible):
            yield Problem("entity", "Records of this kind never change, so they take no further fields.")
        if entity.startswith(f"{CUSTOM}."):
            if key in _RESERVED:
                yield Problem("key", "This name is taken.")
        elif not key.startswith(shapes.PREFIX):
            yield Problem("key", "The name of a field of your own begins with cf_ here.")
        if sum(1 for other in draft.of("field").values() if other["entity"] == entity) > MAX_OF_ENTITY:
            yield Problem("", f"At most {MAX_OF_ENTITY} fields of your own on one kind of record.")
        yield from _parts(body)
        if kind == "reference":
            if not body.get("target"):
                yield Problem("target", "This is needed.")
            elif not self._is_known(draft, body["target"]):
                yield Problem("target", "There is no such kind of record.")
            elif not body.get("archived") and not _is_archived(draft, entity) and _is_archived(draft, body["target"]):
                yield Problem("target", "This kind of record is archived.")
        if kind == "number" and not entity.startswith(f"{CUSTOM}."):
            yield Problem("type", "Only records of your own kinds are numbered like this.")
        yield from self._conditions(draft, body)
        if kind in slots.COMPUTED and not body.get("archived"):
            yield from self._computed(draft, body)

    def _computed(self, draft: Draft, body: Body) -> Iterator[Problem]:
        """What is wrong with a formula or a rollup: names, types, cycles; and the rows that a rollup chooses."""
        if not body.get(body["type"]):
            yield Problem(body["type"], "This is needed.")
            return
        schema = self.drafted(draft)
        found = schema.computing.problems_of(body["entity"], body["key"]) if schema.computing is not None else []
        yield from found
        where = body["rollup"].get("where") if body["type"] == "rollup" else None
        child = schema.find(body["rollup"]["entity"]) if where else None
        if child is not None and not found:
            try:
                parse_condition(where, catalogue_of(child))
            except ConditionInvalid as error:
                yield Problem(f"rollup.where{(error.field or '').removeprefix('$')}", error.message)

    def _conditions(self, draft: Draft, body: Body) -> Iterator[Problem]:
        given = [name for name in ("visible_if", "required_if") if body.get(name)]
        if not given:
            return
        known = catalogue_of(self.drafted(draft).get(body["entity"]))
        for name in given:
            try:
                parse_condition(body[name], known)
            except ConditionInvalid as error:
                yield Problem(f"{name}{(error.field or '').removeprefix('$')}", error.message)

    def field_impacts(self, session: Session, _changes: ChangeSet, step: Step) -> Iterable[Impact]:
        """What a change of a field does to the values that records have."""
        before, after = step.before, step.after
        if before is None or before["type"] in slots.COMPUTED:
            return
        slot = slots.slot_of(session, before["entity"], before["key"])
        if after is None or (after.get("archived") and not before.get("archived")):
            number = slots.held(session, self._base, before["entity"], slot)
            yield Impact("field", step.key, "warn", "The values of these records are no longer shown; they stay stored.", number)
        elif after["type"] not in (before["type"], *slots.COMPUTED):
            lost = slots.unreadable(session, self._base, before["entity"], field_of(after, slot))
            level = "bad" if lost else "info"
            message = "These values cannot be read as the new type; they stay stored, but are not shown."
            yield Impact("field", step.key, level, message, lost)

    # What readers see

    def rule(self, draft: Draft, body: Body) -> Iterator[Problem]:
        """What is wrong with a rule about records."""
        yield from self._condition_of(draft, body)

    def view(self, draft: Draft, body: Body) -> Iterator[Problem]:
        """What is wrong with a saved view."""
        yield from self._condition_of(draft, body)
        entity = self.drafted(draft).find(body["entity"])
        if entity is None:
            return
        yield from _missing(entity, "columns", body.get("columns", ()))
        sort = body.get("sort", "").removeprefix("-")
        if sort and not (sort == "id" or (sort in entity.by_key and entity.by_key[sort].is_sortable)):
            yield Problem("sort", "The list cannot be sorted by this.")

    def access(self, draft: Draft, body: Body) -> Iterator[Problem]:
        """What is wrong with what a role may do with a field."""
        entity = self.drafted(draft).find(body["entity"])
        if entity is None:
            yield Problem("entity", "There is no such kind of record.")
        elif body["field"] not in entity.by_key:
            yield Problem("field", "There is no such field.")
        elif body["may"] == "none" and body["field"] in (entity.title_field, entity.parent[1] if entity.parent else ""):
            yield Problem("may", "Records are called by this field, so it cannot be hidden.")

    def layout(self, draft: Draft, body: Body) -> Iterator[Problem]:
        """What is wrong with a layout."""
        entity = self.drafted(draft).find(body["entity"])
        if entity is None:
            yield Problem("entity", "There is no such kind of record.")
            return
        seen: set[str] = set()
        for name in ("columns", "cards"):
            yield from _missing(entity, name, body.get(name, ()))
        for at, tab in enumerate(body.get("tabs", ())):
            for place, section in enumerate(tab.get("sections", ())):
                path = f"tabs[{at}].sections[{place}].fields"
                yield from _missing(entity, path, section.get("fields", ()))
                for index, key in enumerate(section.get("fields", ())):
                    if key in seen:
                        yield Problem(f"{path}[{index}]", "This field stands in the layout twice.")
                    seen.add(key)

    def label(self, draft: Draft, body: Body) -> Iterator[Problem]:
        """What is wrong with the words for a choice."""
        entity = self.drafted(draft).find(body["entity"])
        item = entity.by_key.get(body["field"]) if entity is not None else None
        if item is None:
            yield Problem("field", "There is no such field.")
        elif body["value"] not in {choice.value for choice in item.choices}:
            yield Problem("value", "This is not one of the choices.")

    def _condition_of(self, draft: Draft, body: Body) -> Iterator[Problem]:
        entity = self.drafted(draft).find(body["entity"])
        if entity is None:
            yield Problem("entity", "There is no such kind of record.")
            return
        if body.get("condition"):
            try:
                parse_condition(filled(body["condition"], Reader()), catalogue_of(entity))
            except ConditionInvalid as error:
                yield Problem(f"condition{(error.field or '').removeprefix('$')}", error.message)

    def drafted(self, draft: Draft) -> TenantSchema:
        """The entity types that a draft describes, archived ones too, for the look of them."""
        places = {(body["entity"], body["key"]): f"?{body['key']}" for body in draft.of("field").values()}
        shelved = [(key, body) for key, body in draft.of("entity").items() if body.get("archived")]
        whole = draft.after(Step("entity", key, body, {**body, "archived": False}) for key, body in shelved)
        found: TenantSchema = _memo(draft, "schema", lambda: compile_schema(self._base, whole, places))
        return found

    def _is_known(self, draft: Draft, key: str) -> bool:
        if key.startswith(f"{CUSTOM}."):
            return draft.get("entity", key.partition(".")[2]) is not None
        found: EntityType | None = self._base.find(key)
        return found is not None


def _is_archived(draft: Draft, key: str) -> bool:
    body = draft.get("entity", key.partition(".")[2]) if key.startswith(f"{CUSTOM}.") else None
    return bool(body and body.get("archived"))


def _missing(entity: EntityType, path: str, keys: Iterable[str]) -> Iterator[Problem]:
    for at, key in enumerate(keys):
        if key not in entity.by_key:
            yield Problem(f"{path}[{at}]", "There is no such field.")


def _memo(draft: Draft, name: str, make: Callable[[], Any]) -> Any:
    if name not in draft.memo:
        draft.memo[name] = make()
    return draft.memo[name]


def _parts(body: Body) -> Iterator[Problem]:
    """What a field's own parts say about each other."""
    kind = body["type"]
    yield from _choices(body)
    low, high = body.get("minimum"), body.get("maximum")
    if low is not None and high is not None and low > high:
        yield Problem("minimum", "The smallest value is larger than the largest.")
    yield from _pattern(body)
    if body.get("unique") and (kind not in CONDITION_NAMES or kind in (*_LISTED, "boolean")):
        yield Problem("unique", "Values of this type cannot be unique.")
    if body.get("sealed") and kind not in _TEXTUAL:
        yield Problem("sealed", "Only texts can be encrypted.")
    if kind == "number":
        names = [name for name, _width in SERIES_PART.findall(body.get("series", ""))]
        if names.count("n") != 1:
            yield Problem("series", "The pattern of a number holds {n} once, such as SC-{yyyy}-{n:4}.")
    yield from _default(body)


def _choices(body: Body) -> Iterator[Problem]:
    values = [one["value"] for one in body.get("choices", ())]
    if body["type"] not in _LISTED:
        if values:
            yield Problem("choices", "Only fields of choices have these.")
        return
    if not values:
        yield Problem("choices", "This is needed.")
    for at, value in enumerate(values):
        if value in values[:at]:
            yield Problem(f"choices[{at}].value", "This is named twice.")


def _pattern(body: Body) -> Iterator[Problem]:
    if not body.get("pattern"):
        return
    try:
        check_pattern(body["pattern"])
    except Invalid as error:
        yield Problem("pattern", error.message)
    if body["type"] != "text" or body.get("max_length", 200) > 64:
        yield Problem("pattern", "A pattern is for texts of at most 64 characters.")


CONDITION_NAMES = frozenset(kind.value for kind in CONDITION_TYPES)


def _default(body: Body) -> Iterator[Problem]:
    default = body.get("default")
    if default is None:
        return
    if body["type"] in ("formula", "rollup", "number", "file", "user", "reference"):
        yield Problem("default", "Fields of this type have no default.")
        return
    try:
        item: Field = field_of(body, "?")
        convert(item, default)
    except Invalid as error:
        yield Problem("default", error.message)
