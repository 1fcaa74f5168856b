"""The description of an entity type, and the registry that holds them all.

Packages of the domain and plugins describe their entities once, as frozen values; the delivery storey derives screens, REST resources,
OpenAPI, exports and filters from the description, and tenants' own fields will join it here. Labels are English message ids, translated
at the edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from core.kernel.errors import NotFound, OrderloomError

Condition = Mapping[str, Any]


class FieldType(StrEnum):
    """What a field holds; decides widget, filter operators, JSON form and column type."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"
    QUANTITY = "quantity"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    CHOICE = "choice"
    CHOICES = "choices"
    TAGS = "tags"
    REFERENCE = "reference"
    USER = "user"
    FILE = "file"
    PHONE = "phone"
    EMAIL = "email"
    URL = "url"
    ADDRESS = "address"
    JSON = "json"


#: The types whose values are text, with rules of their own about what the text may be.
TEXTS = frozenset({FieldType.TEXT, FieldType.LONG_TEXT, FieldType.PHONE, FieldType.EMAIL, FieldType.URL, FieldType.ADDRESS})


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a choice field; `kind` is the badge's colour family: neutral, info, progress, warn, ok, bad."""

    value: str
    label: str
    kind: str = "neutral"
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Rollup:
    """What a field sums up: the rows of `entity` whose reference `via` names the record; `of` is the field that `use` (count, sum,
    min, max, avg) works on, `where` a condition on the rows."""

    entity: str
    via: str
    use: str = "count"
    of: str = ""
    where: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an entity. `key` is the attribute of the model and the name in REST, filters and exports.

    A field is written only when `is_writable`; `create_only` fields are fixed afterwards. `is_personal` fields are masked values of
    people and are left out of exports unless the user may reveal; `is_write_only` fields take values in clear that are never given back.
    `target` names the entity type that a reference points to; its key then ends in `_id`. `currency_key` names the field that holds the
    currency of a money field, `currency` the one that it always has. `is_filterable` and `is_sortable` promise an index or a small table.
    `default` is a value, or a function of the session where each tenant has its own.

    What a tenant added has a `slot`, the name under which its values are stored, or is computed: `formula` and `rollup` say how.
    `is_sealed` values are encrypted where they lie. `visible_if` and `required_if` are conditions over the record. `series` numbers new
    records, as `{yyyy}-{n:4}`.
    """

    key: str
    label: str
    type: FieldType = FieldType.TEXT
    help: str = ""
    is_required: bool = False
    is_writable: bool = True
    create_only: bool = False
    is_filterable: bool = False
    is_sortable: bool = False
    is_personal: bool = False
    is_write_only: bool = False
    max_length: int = 200
    minimum: int | None = None
    maximum: int | None = None
    pattern: str = ""
    choices: tuple[Choice, ...] = ()
    target: str = ""
    currency_key: str = ""
    currency: str = ""
    default: Any = None
    slot: str = ""
    is_unique: bool = False
    is_sealed: bool = False
    formula: str = ""
    rollup: Rollup | None = None
    series: str = ""
    visible_if: Condition | None = None
    required_if: Condition | None = None
    digits: int | None = None

    @property
    def is_computed(self) -> bool:
        """Whether its value follows from others and is stored nowhere."""
        return bool(self.formula) or self.rollup is not None


@dataclass(frozen=True, slots=True)
class Queue:
    """A work queue: a named condition over the entity, shown as a tab with its count. `condition` None means all rows."""

    key: str
    label: str
    condition: Condition | None
    kind: str = "neutral"


@dataclass(frozen=True, slots=True)
class Related:
    """A list of another entity's rows shown on the record's page: those whose `field` refers to the record."""

    entity: str
    field: str
    label: str


@dataclass(frozen=True, slots=True)
class Action:
    """Something staff do to one or many records, set-based and safe to repeat.

    `apply(session, ids, params)` returns an outcome per id: None for done, or the error that refused that record.
    `fields` is a small form asked first; `check(params)` refuses what is wrong whatever the records, with `Invalid` and the field's name,
    before a run over many of them starts. `inverse` names the action that undoes this one. `needs_names`: it takes something for each
    record (a tracking number), so it works on chosen records and never on "all that match".
    """

    key: str
    label: str
    permission: str
    apply: Callable[[Any, Sequence[UUID], Mapping[str, Any]], Mapping[UUID, OrderloomError | None]]
    fields: tuple[Field, ...] = ()
    icon: str = ""
    confirm: str = ""
    kind: str = "neutral"
    inverse: str = ""
    needs_names: bool = False
    check: Callable[[Mapping[str, Any]], None] | None = None


@dataclass(frozen=True, slots=True)
class View:
    """A saved view: rows that meet `condition`, sorted by `sort`, with `columns`; empty means the list's own."""

    key: str
    label: str
    condition: Condition | None = None
    sort: str = ""
    columns: tuple[str, ...] = ()
    is_tab: bool = True


@dataclass(frozen=True, slots=True)
class FormSection:
    """A part of a form: a heading and its fields, in `columns` columns."""

    title: str
    fields: tuple[str, ...]
    columns: int = 2


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab of a form, with its sections."""

    title: str
    sections: tuple[FormSection, ...]


@dataclass(frozen=True, slots=True, eq=False)
class EntityType:
    """One entity type. `key` is `<package>.<noun>`; REST path and screens use `resource` (plural, dashes).

    Writes go through `create(session, values)`, `update(session, record, values)` and `delete(session, record)`; None means that people
    cannot do it. `values` holds only writable fields, converted and checked by type; the functions raise `Invalid` with the field's
    name. Permissions are `<area>.read`, `<area>.write` and `<area>.delete`, where `area` is the permission group. `default_sort` is
    (field key, asc|desc) of an indexed column. `card_fields` are the list's fields that a narrow screen shows, the first few where none
    are named. `search_entity` names the entity in the search index, empty when search covers `search_fields` by prefix only.
    `search(session, text)` gives the condition itself, where neither of them is enough. Who has saved a record that belongs to another
    one (`parent`) goes back there.
    """

    key: str
    resource: str
    model: type
    label: str
    label_plural: str
    area: str
    fields: tuple[Field, ...]
    list_fields: tuple[str, ...]
    card_fields: tuple[str, ...] = ()
    form_fields: tuple[str, ...] = ()
    title_field: str = "code"
    default_sort: tuple[str, str] = ("id", "desc")
    search_fields: tuple[str, ...] = ()
    search_entity: str = ""
    search: Callable[[Any, str], Any] | None = None
    queues: tuple[Queue, ...] = ()
    actions: tuple[Action, ...] = ()
    related: tuple[Related, ...] = ()
    create: Callable[[Any, Mapping[str, Any]], Any] | None = None
    update: Callable[[Any, Any, Mapping[str, Any]], None] | None = None
    delete: Callable[[Any, Any], None] | None = None
    menu: str = ""
    icon: str = ""
    help: str = ""
    empty: str = ""
    plugin: str | None = None
    #: Which rows of the model are of this type, for tables that hold several: (column, value).
    kind: tuple[str, str] | None = None
    #: The entity type whose record a row belongs to, and the reference to it.
    parent: tuple[str, str] | None = None
    #: Narrows a statement over the model to the rows that the reader may see; None where all are.
    confine: Callable[[Any, datetime], Any] | None = None
    #: The saved views that the reader may choose, and the layout of forms and pages: tabs of sections.
    views: tuple[View, ...] = ()
    tabs: tuple[Tab, ...] = ()
    by_key: Mapping[str, Field] = field(init=False, repr=False, compare=False)
    #: What has been worked out from this description, by whoever did.
    memo: dict[str, Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known = {item.key: item for item in self.fields}
        object.__setattr__(self, "by_key", known)
        object.__setattr__(self, "memo", {})
        missing = [name for name in (*self.list_fields, *self.card_fields, *self.form_fields) if name not in known]
        if missing:
            raise EntityBroken(f"{self.key} lists fields that it does not have: {', '.join(missing)}", entity=self.key)

    @property
    def whole(self) -> EntityType:
        """The entity type with all its fields, where this is what a reader may see of it."""
        found: EntityType = self.memo.get("whole", self)
        return found

    @property
    def parent_field(self) -> str:
        """The reference to the record that a row belongs to, empty where rows stand for themselves."""
        return self.parent[1] if self.parent is not None else ""

    def field(self, key: str) -> Field:
        """The field with this key. Raises FieldUnknown."""
        try:
            return self.by_key[key]
        except KeyError as error:
            raise FieldUnknown(entity=self.key, field_key=key) from error

    def queue(self, key: str) -> Queue | None:
        """The queue with this key, or None."""
        return next((queue for queue in self.queues if queue.key == key), None)

    def action(self, key: str) -> Action | None:
        """The action with this key, or None."""
        return next((action for action in self.actions if action.key == key), None)


class EntityBroken(OrderloomError):
    """An entity type is described wrongly."""

    code = "metadata.entity_broken"


class EntityUnknown(NotFound):
    """There is no such kind of record."""

    code = "metadata.entity_unknown"


class FieldUnknown(NotFound):
    """There is no such field."""

    code = "metadata.field_unknown"


class EntityRegistry:
    """All entity types of the installation, by key and by resource name; filled at boot, then only read."""

    def __init__(self, entities: Iterable[EntityType] = ()) -> None:
        self._by_key: dict[str, EntityType] = {}
        self._by_resource: dict[str, EntityType] = {}
        for entity in entities:
            self.add(entity)

    def add(self, entity: EntityType) -> None:
        """Register `entity`. Raises EntityBroken - its key or resource is taken."""
        if entity.key in self._by_key or entity.resource in self._by_resource:
            raise EntityBroken(f"{entity.key} ({entity.resource}) is registered already", entity=entity.key)
        self._by_key[entity.key] = entity
        self._by_resource[entity.resource] = entity

    def get(self, key: str) -> EntityType:
        """The entity type with this key. Raises EntityUnknown."""
        try:
            return self._by_key[key]
        except KeyError as error:
            raise EntityUnknown(entity=key) from error

    def find(self, key: str) -> EntityType | None:
        """The entity type with this key, or None."""
        return self._by_key.get(key)

    def by_resource(self, resource: str) -> EntityType | None:
        """The entity type behind a resource name, or None."""
        return self._by_resource.get(resource)

    def __iter__(self) -> Iterator[EntityType]:
        return iter(self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)
