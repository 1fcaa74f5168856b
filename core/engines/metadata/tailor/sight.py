"""What one reader sees of a tenant's schema: fields by role, records by rule, layouts and views by role.

Whoever has several roles has the best that any of them gives. A rule is a condition over the record; where an entity type has rules, a
record is seen when a rule for one of the reader's roles holds, and a reader for whom there is none sees no record at all. Records that
belong to others (lines, parcels, a tenant's child types) are seen with the ones that they belong to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, false, or_, select
from sqlalchemy.orm import Session

from core.engines.configuration.changes import Body
from core.engines.metadata.columns import catalogue_of, columns_of
from core.engines.metadata.entity import TEXTS, EntityType, FormSection, Tab, View
from core.engines.metadata.formulas import names_used
from core.engines.metadata.rollups import fields_summed
from core.engines.metadata.tailor.compiled import TenantSchema, tie
from core.engines.metadata.tailor.computing import needs_sight
from core.engines.metadata.tailor.schemas import Schemas
from core.kernel.conditions import Condition, parse_condition
from core.kernel.ids import parse_id
from core.runtime.db.condition_sql import to_sql
from core.runtime.security.models import ApiToken, Membership
from core.runtime.security.permissions import Rights, Standing
from core.runtime.tenancy.scope import require_scope

LEVELS = {"none": 0, "read": 1, "write": 2}
EVERYBODY = "*"
ME = {"me": "member"}
MAX_SIGHTS = 200


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks: codes of roles, and the membership, None for who is no member."""

    roles: frozenset[str] = frozenset()
    member_id: UUID | None = None


def seen_by(schema: TenantSchema, reader: Reader) -> TenantSchema:
    """The schema as the reader sees it; the very schema where nothing is told by role. Kept with the schema."""
    if not any(schema.draft.of(kind) for kind in ("rule", "access", "layout", "view")):
        return schema
    found: TenantSchema | None = schema.sights.get(reader)
    if found is None:
        if len(schema.sights) >= MAX_SIGHTS:
            schema.sights.clear()
        found = schema.sights[reader] = _made(schema, reader)
    return found


def _made(schema: TenantSchema, reader: Reader) -> TenantSchema:
    seen = TenantSchema(schema, version=schema.version, draft=schema.draft)
    seen.slots = schema.slots
    for entity in schema:
        shown = _arranged(schema, _fields_seen(schema, entity, reader), reader)
        confine = _confined(schema, entity, reader)
        if confine is not None:
            shown = replace(shown, confine=confine)
        if shown is entity and needs_sight(entity):
            shown = replace(entity)  # its sums are over what this reader sees
        if shown is not entity:
            shown.memo["whole"] = entity
            seen.put(shown)
    tie(seen)
    return seen


# Fields


def _fields_seen(schema: TenantSchema, entity: EntityType, reader: Reader) -> EntityType:
    levels = field_levels(schema, entity.key, reader.roles)
    hidden = hidden_fields(schema, entity, reader.roles) if schema.draft.of("access") else set()
    fixed = {key for key, level in levels.items() if level == LEVELS["read"]}
    if not hidden and not fixed:
        return entity
    fields = tuple(replace(item, is_writable=False) if item.key in fixed else item for item in entity.fields if item.key not in hidden)

    def left(keys: Iterable[str], gone: set[str]) -> tuple[str, ...]:
        return tuple(key for key in keys if key not in gone)

    return replace(
        entity,
        fields=fields,
        list_fields=left(entity.list_fields, hidden) or (entity.title_field,),
        card_fields=left(entity.card_fields, hidden),
        form_fields=left(entity.form_fields, hidden | fixed),
        **_searched(entity, hidden),
    )


def hidden_fields(schema: TenantSchema, entity: EntityType, roles: Iterable[str]) -> set[str]:
    """The fields that people of these roles do not see: those that are hidden from them, and what is computed from those."""
    hidden = _Hidden(schema, list(roles))
    return {item.key for item in entity.fields if hidden.holds(entity.key, item.key)}


class _Hidden:
    """Which fields are hidden from people of some roles, in all entity types: a sum tells about fields elsewhere."""

    def __init__(self, schema: TenantSchema, roles: list[str]) -> None:
        self._schema, self._roles = schema, roles
        self._levels: dict[str, dict[str, int]] = {}
        self._known: dict[tuple[str, str], bool] = {}

    def holds(self, entity: str, key: str) -> bool:
        """Whether this field is hidden; computed fields never lead back to themselves."""
        place = (entity, key)
        if place not in self._known:
            self._known[place] = self._found(entity, key)
        return self._known[place]

    def _found(self, key: str, name: str) -> bool:
        if key not in self._levels:
            self._levels[key] = field_levels(self._schema, key, self._roles)
        if self._levels[key].get(name) == LEVELS["none"]:
            return True
        entity = self._schema.find(key)
        item = entity.by_key.get(name) if entity is not None else None
        if entity is None or item is None or not item.is_computed:
            return False
        if item.rollup is not None:
            return any(self.holds(item.rollup.entity, one) for one in fields_summed(item))
        return any(self.holds(key, one) for one in names_used(entity, item))


def _searched(entity: EntityType, hidden: set[str]) -> dict[str, Any]:
    """How the reader searches. The index does not tell of which field a word is, so with a text hidden only names are searched."""
    fields = tuple(key for key in entity.search_fields if key not in hidden)
    if not any(entity.by_key[key].type in TEXTS for key in hidden if key in entity.by_key):
        return {"search_fields": fields}
    return {"search_entity": "", "search": None, "search_fields": fields or (entity.title_field,)}


def field_levels(schema: TenantSchema, entity: str, roles: Iterable[str]) -> dict[str, int]:
    """What the roles may do with the fields of an entity type about which the configuration says anything."""
    said: dict[str, dict[str, str]] = {}
    for body in schema.draft.of("access").values():
        if body["entity"] == entity:
            said.setdefault(body["field"], {})[body["role"]] = body["may"]
    held = list(roles) or [""]
    return {key: max(LEVELS[by_role.get(role, by_role.get(EVERYBODY, "write"))] for role in held) for key, by_role in said.items()}


# Records


def rules_of(schema: TenantSchema, entity: str) -> list[Body]:
    """The rules in force about an entity type's records."""
    return [body for body in schema.draft.of("rule").values() if body["entity"] == entity and not body.get("archived")]


def applies(rule: Body, roles: Iterable[str]) -> bool:
    """Whether a rule is for one of these roles."""
    return not rule.get("roles") or bool(set(rule["roles"]) & set(roles))


def parsed_rule(entity: EntityType, rule: Body, reader: Reader) -> Condition | None:
    """A rule's condition for this reader; None where it always holds. Raises ConditionInvalid."""
    tree = rule.get("condition")
    return parse_condition(filled(tree, reader), catalogue_of(entity.whole)) if tree else None


def filled(tree: Any, reader: Reader) -> Any:
    """A condition tree with the reader in place of `{"me": "member"}`."""
    if tree == ME:
        return str(reader.member_id or UUID(int=0))
    if isinstance(tree, Mapping):
        return {name: filled(value, reader) for name, value in tree.items()}
    if isinstance(tree, list):
        return [filled(value, reader) for value in tree]
    return tree


Confine = Any


def _confined(schema: TenantSchema, entity: EntityType, reader: Reader) -> Confine:
    """What narrows statements over the entity type, or None."""
    chain = _chain(schema, entity)
    if not any(rules_of(schema, one.key) for one, _reference in chain):
        return None
    conditions = {one.key: _of_rules(schema, one, reader) for one, _reference in chain}

    def confine(statement: Select[Any], now: datetime) -> Select[Any]:
        criterion = _criterion(chain, conditions, now)
        return statement if criterion is None else statement.where(criterion)

    return confine


def _chain(schema: TenantSchema, entity: EntityType) -> list[tuple[EntityType, str]]:
    """The entity type and those that it belongs to, one after the other, each with the reference that leads to the next."""
    found: list[tuple[EntityType, str]] = []
    at: EntityType | None = entity
    while at is not None and at.key not in {one.key for one, _reference in found}:
        found.append((at, at.parent[1] if at.parent is not None else ""))
        at = schema.find(at.parent[0]) if at.parent is not None else None
    return found


Rules = list[Condition] | None


def _of_rules(schema: TenantSchema, entity: EntityType, reader: Reader) -> Rules:
    """The conditions of which one has to hold; None where every record is seen, an empty list where none is."""
    rules = rules_of(schema, entity.key)
    if not rules:
        return None
    found: list[Condition] = []
    for rule in rules:
        if applies(rule, reader.roles):
            condition = parsed_rule(entity, rule, reader)
            if condition is None:
                return None
            found.append(condition)
    return found


def _criterion(chain: Sequence[tuple[EntityType, str]], conditions: Mapping[str, Rules], now: datetime) -> ColumnElement[bool] | None:
    entity, reference = chain[0]
    model: Any = entity.model
    parts: list[ColumnElement[bool]] = []
    rules = conditions[entity.key]
    if rules is not None:
        columns = columns_of(entity.whole, now=now)
        parts.append(or_(false(), *(to_sql(rule, columns, now) for rule in rules)))
    if len(chain) > 1:
        above = _criterion(chain[1:], conditions, now)
        if above is not None:
            parent: Any = chain[1][0].model
            column = getattr(model, reference)
            of_seen = column.in_(select(parent.id).where(above))
            # What may stand without a parent is judged by its own rules alone then.
            parts.append(or_(column.is_(None), of_seen) if model.__table__.c[reference].nullable else of_seen)
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else parts[0] & parts[1]


# Layouts and views


def _arranged(schema: TenantSchema, entity: EntityType, reader: Reader) -> EntityType:
    changes: dict[str, Any] = {}
    layout = layout_for(schema, entity.key, reader.roles)
    if layout is not None:
        columns = tuple(key for key in layout.get("columns", ()) if key in entity.by_key)
        cards = tuple(key for key in layout.get("cards", ()) if key in entity.by_key)
        tabs = tabs_of(layout, entity)
        placed = [key for tab in tabs for section in tab.sections for key in section.fields]
        changes = {"list_fields": columns or entity.list_fields, "card_fields": cards or entity.card_fields}
        if tabs:
            forms = [key for key in placed if key in entity.form_fields]
            needed = [key for key in entity.form_fields if key not in forms and entity.by_key[key].is_required]
            changes |= {"tabs": tabs, "form_fields": (*forms, *needed)}
    views = views_for(schema, entity, reader.roles)
    if views:
        changes["views"] = tuple(replace(view, condition=filled(view.condition, reader)) for view in views)
    return replace(entity, **changes) if changes else entity


def layout_for(schema: TenantSchema, entity: str, roles: Iterable[str]) -> Body | None:
    """The layout for people of these roles: the first role's that has one, else everybody's, else None."""
    found = {body.get("role", ""): body for body in schema.draft.of("layout").values() if body["entity"] == entity}
    return next((found[role] for role in sorted(roles) if role in found), found.get(""))


def tabs_of(layout: Body, entity: EntityType) -> tuple[Tab, ...]:
    """The tabs of a layout, without fields that there are no more or that the reader does not see."""
    tabs = []
    for tab in layout.get("tabs", ()):
        sections = tuple(
            FormSection(one.get("title", ""), tuple(key for key in one.get("fields", ()) if key in entity.by_key), one.get("columns", 2))
            for one in tab.get("sections", ())
        )
        tabs.append(Tab(tab.get("title", ""), tuple(one for one in sections if one.fields)))
    return tuple(tab for tab in tabs if tab.sections)


def views_for(schema: TenantSchema, entity: EntityType, roles: Iterable[str]) -> tuple[View, ...]:
    """The shared views that people of these roles may choose, in order."""
    bodies = [body for body in schema.draft.of("view").values() if body["entity"] == entity.key and applies(body, roles)]
    bodies.sort(key=lambda body: (body.get("position", 0), body["key"]))
    return tuple(
        View(
            body["key"],
            body["label"],
            body.get("condition"),
            body.get("sort", ""),
            tuple(key for key in body.get("columns", ()) if key in entity.by_key),
            body.get("is_tab", True),
        )
        for body in bodies
    )


class Sights:
    """The schema as the actor of the open scope sees it: members and tokens by their roles, the system and plugins everything."""

    def __init__(self, schemas: Schemas, rights: Rights) -> None:
        self._schemas, self._rights = schemas, rights

    def of(self, session: Session) -> TenantSchema:
        """What the open scope's actor sees of the tenant's schema. Raises ScopeMissing."""
        schema, actor = self._schemas.of(session), require_scope().actor
        if actor.kind not in ("user", "token"):
            return schema
        user = actor.id
        if actor.kind == "token":
            holder = select(Membership.user_id).join(ApiToken, ApiToken.membership_id == Membership.id)
            user = str(session.scalar(holder.where(ApiToken.id == parse_id(actor.id))) or "")
        standing = self._rights.standing(session, int(user)) if user.isdecimal() else None
        return seen_by(schema, reader_of(standing))


def reader_of(standing: Standing | None) -> Reader:
    """A member as a reader; who is no member has no roles."""
    return Reader() if standing is None else Reader(frozenset(standing.role_codes), standing.membership_id)
