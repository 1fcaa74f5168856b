"""The REST resource of one entity: list, one, create, change, delete and actions; on Flask-AppBuilder's REST views and permissions.

Lists take `queue`, `q`, `filter` (a condition tree as JSON), `sort`, `cursor`, `size` and `fields`. Errors are Problem Details (RFC 9457)
and name the field. What an entity does not offer (no `create`, no actions) has no route, so that it answers 405. Flask-AppBuilder's own
list, filters and schemas are replaced (docs/adr/0001).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from flask import Response, request
from flask_appbuilder.api import ModelRestApi, expose, protect
from flask_appbuilder.security.decorators import permission_name

from core.delivery.api.base import Described, Rest, id_from
from core.delivery.api.describe_entity import described_entity, is_changeable
from core.delivery.api.idempotency import once
from core.delivery.web.body import arguments, json_body, json_response, nothing
from core.delivery.web.crud.interface import EntityInterface
from core.delivery.web.crud.kept import answer_file
from core.delivery.web.errors import field_errors, said_by
from core.delivery.web.identity import can
from core.delivery.web.schema import entities_for
from core.delivery.web.unit import db
from core.engines.metadata import queries, writing
from core.engines.metadata.entity import Action, EntityRegistry, EntityType, Field, FieldType
from core.engines.metadata.files import content_of
from core.engines.metadata.queries import ListQuery
from core.engines.metadata.values import document, take
from core.kernel.conditions import ConditionInvalid
from core.kernel.errors import Denied, Invalid, NotFound, OrderloomError
from core.kernel.ids import parse_id
from core.kernel.jsontext import decode_json
from core.runtime.db.keyset import MAX_PAGE_SIZE

MAX_IDS = 1_000
MAX_FILTER_BYTES = 20_000
MAX_SEARCH = 500
DEFAULT_SIZE = 25
LIST_ARGUMENTS = ("queue", "q", "filter", "sort", "cursor", "size", "fields")
_SIZE = re.compile(r"[1-9][0-9]{0,3}")


def api_name(entity_key: str) -> str:
    """The class, endpoint and permission name of an entity's REST resource."""
    return "".join(part.capitalize() for part in entity_key.replace(".", "_").split("_")) + "Api"


class EntityApi(Rest, ModelRestApi):
    """Base of all generated resources; a subclass per entity is made by `api_class`."""

    base_entity: ClassVar[EntityType]
    base_registry: ClassVar[EntityRegistry]
    permission_keys: ClassVar[Mapping[str, str]]
    exclude_route_methods: ClassVar[set[str]] = {"info"}

    @property
    def registry(self) -> EntityRegistry:
        """The entity types as the present tenant has shaped them."""
        return entities_for(self.base_registry)

    @property
    def entity(self) -> EntityType:
        """The entity type of this resource, as the present tenant has shaped it."""
        return self.registry.get(self.base_entity.key)

    @expose("/", methods=["GET"])
    @protect()
    @permission_name("get")
    def get_list(self) -> Response:
        """One page of records."""
        query, keys = self._query(), self._fields()
        try:
            page = queries.fetch(db(), self.entity, query, now=self.now(), keys=[*keys, *self._currencies(keys)])
        except ConditionInvalid as error:
            error.field = f"filter{(error.field or '').removeprefix('$')}"
            raise
        fields = [self.entity.by_key[key] for key in keys]
        rows = [document(row, fields) for row in page.rows]
        return json_response({"result": rows, "next": page.next_cursor, "previous": page.previous_cursor})

    @expose("/<pk>", methods=["GET"])
    @protect()
    @permission_name("get")
    def get(self, pk: str) -> Response:
        """One record."""
        arguments()
        return json_response(self.shown(self.record(pk)))

    @expose("/<pk>/files/<field>", methods=["GET"])
    @protect()
    @permission_name("get")
    def file(self, pk: str, field: str) -> Response:
        """The file that a field of a record holds."""
        arguments()
        found, item = self.record(pk), self.entity.by_key.get(field)
        if item is None or item.type is not FieldType.FILE or not item.slot or getattr(found, field) is None:
            raise NotFound(field=field[:60])
        return answer_file(content_of(db(), found.id, item, getattr(found, field)), as_picture=False)

    @expose("/", methods=["POST"])
    @protect()
    @permission_name("post")
    def post(self) -> Response:
        """Make a record."""
        arguments()
        return once(db(), self._post)

    def _post(self) -> Response:
        values = take(db(), self.registry, self._writable(), json_body(), is_new=True)
        made = writing.create(db(), self.entity, values, now=self.now())
        answer = json_response(self.shown(queries.record(db(), self.entity, made.id)), status=201)
        answer.headers["Location"] = f"{request.script_root}{request.path}{made.id}"
        return answer

    @expose("/<pk>", methods=["PATCH", "PUT"])
    @protect()
    @permission_name("put")
    def put(self, pk: str) -> Response:
        """Change the given fields of a record; with PUT every required one has to be given. The others stay as they are."""
        arguments()
        body = dict(json_body())
        found = queries.locked_record(db(), self.entity, id_from(pk, entity=self.entity.key))
        _check_version(found, body)
        values = take(db(), self.registry, self._writable(), body, is_new=False, is_partial=request.method == "PATCH")
        writing.update(db(), self.entity, found, values, now=self.now())
        return json_response(self.shown(queries.record(db(), self.entity, found.id)))

    @expose("/<pk>", methods=["DELETE"])
    @protect()
    @permission_name("delete")
    def delete(self, pk: str) -> Response:
        """Delete a record."""
        arguments()
        writing.remove(db(), self.registry, self.entity, self.record(pk))
        return nothing()

    @expose("/actions/<key>", methods=["POST"])
    @protect()
    @permission_name("get")
    def act(self, key: str) -> Response:
        """Carry out an action on records; each is answered for itself."""
        arguments()
        action = self.entity.action(key)
        if action is None:
            raise NotFound(action=key[:60])
        if not can(action.permission):
            raise Denied
        return once(db(), lambda: self._act(action))

    def _act(self, action: Action) -> Response:
        body = json_body()
        unknown = sorted(set(body) - {"ids", "params"})
        if unknown:
            raise Invalid("This field is not known.", field=unknown[0])
        ids = _ids(body.get("ids"))
        params = take(db(), self.registry, action.fields, _mapping(body.get("params", {}), "params"), is_new=True)
        seen = queries.visible_ids(db(), self.entity, ids)
        outcomes = dict(action.apply(db(), seen, params)) if seen else {}
        outcomes.update({key: NotFound(entity=self.entity.key) for key in set(ids) - set(seen)})
        return json_response({"result": _outcomes(ids, outcomes)})

    # Helpers

    def described(self) -> Described:
        """The resource in the OpenAPI document."""
        return described_entity(self.entity, self.permission_keys)

    def now(self) -> datetime:
        """The present moment."""
        return datetime.now(UTC)

    def record(self, pk: str) -> Any:
        """The record of an address. Raises NotFound."""
        return queries.record(db(), self.entity, id_from(pk, entity=self.entity.key))

    def shown(self, record: Any) -> dict[str, Any]:
        """A record as JSON, with its version for later changes."""
        shown = document(record, queries.readable_fields(self.entity))
        if hasattr(record, "row_version"):
            shown["row_version"] = record.row_version
        return shown

    def _currencies(self, keys: Sequence[str]) -> Sequence[str]:
        """The fields that hold the currencies of these fields' amounts."""
        return [item.currency_key for key in keys if (item := self.entity.by_key[key]).currency_key]

    def _writable(self) -> Sequence[Field]:
        """Fields that this resource takes; where the code's own fields are not changed by hand, the tenant's own still are."""
        entity = self.entity
        fields = [entity.by_key[key] for key in entity.form_fields]
        return fields if entity.update is not None or entity.create is not None else [item for item in fields if item.slot]

    def _query(self) -> ListQuery:
        given = arguments(*LIST_ARGUMENTS)
        size = given.get("size", str(DEFAULT_SIZE))
        if not _SIZE.fullmatch(size) or int(size) > MAX_PAGE_SIZE:
            raise Invalid(f"A page has 1 to {MAX_PAGE_SIZE} rows.", field="size")
        search = given.get("q", "")
        if len(search) > MAX_SEARCH:
            raise Invalid(f"At most {MAX_SEARCH} characters.", field="q")
        return ListQuery(
            queue=given.get("queue", ""),
            search=search,
            condition=_condition(given.get("filter", "")),
            sort=given.get("sort", ""),
            cursor=given.get("cursor") or None,
            size=int(size),
        )

    def _fields(self) -> list[str]:
        wanted = request.args.get("fields", "")
        readable = {item.key for item in queries.readable_fields(self.entity)}
        if not wanted:
            return [item.key for item in self.entity.fields if item.key in readable]
        keys = [key.strip() for key in wanted.split(",") if key.strip()]
        for key in keys:
            if key not in readable and key != "id":
                raise Invalid("There is no such field.", field="fields")
        return [key for key in dict.fromkeys(keys) if key != "id"]


class StaleVersion(Invalid):
    """Somebody changed the record in the meantime."""

    code = "record.stale_version"
    status = 409


def _check_version(record: Any, body: dict[str, Any]) -> None:
    """A change that names another version than the stored one is refused."""
    if not hasattr(record, "row_version") or body.get("row_version") is None:
        return
    version = body.pop("row_version")
    if type(version) is not int:
        raise Invalid("This is a whole number.", field="row_version")
    if version != record.row_version:
        raise StaleVersion(field="row_version", stored=record.row_version)


def _condition(text: str) -> Mapping[str, Any] | None:
    if not text:
        return None
    try:
        condition = decode_json(text, max_bytes=MAX_FILTER_BYTES, max_depth=20, unique_keys=True)
    except Invalid as error:
        error.field = "filter"
        raise
    if not isinstance(condition, dict):
        raise Invalid("A filter is a condition tree.", field="filter")
    return condition


def _outcomes(ids: Sequence[UUID], outcomes: Mapping[UUID, OrderloomError | None]) -> list[dict[str, Any]]:
    rows = []
    for record_id in ids:
        error = outcomes.get(record_id)
        row: dict[str, Any] = {"id": str(record_id), "ok": error is None}
        if error is not None:
            row.update(code=error.code, message=said_by(error), errors=field_errors(error))
        rows.append(row)
    return rows


def _ids(raw: Any) -> list[UUID]:
    if not isinstance(raw, list) or not raw:
        raise Invalid("Give a list of ids.", field="ids")
    if len(raw) > MAX_IDS:
        raise Invalid(f"At most {MAX_IDS} records at a time.", field="ids")
    found = []
    for index, item in enumerate(raw):
        parsed = parse_id(item) if isinstance(item, str) else None
        if parsed is None:
            raise Invalid("This is not an id.", field=f"ids[{index}]")
        found.append(parsed)
    return list(dict.fromkeys(found))


def _mapping(raw: Any, field: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise Invalid("This is a table of names and values.", field=field)
    return raw


def api_class(entity: EntityType, registry: EntityRegistry, session: Any, *, base: type[EntityApi] = EntityApi) -> type[EntityApi]:
    """The REST class of an entity, ready for `appbuilder.add_api`."""
    area, name = entity.area, api_name(entity.key)
    keys = {"get": f"{area}.read", "post": f"{area}.write", "put": f"{area}.write", "delete": f"{area}.delete"}
    offers = {"post": entity.create, "put": is_changeable(entity), "delete": entity.delete, "act": entity.actions}
    columns = {f"{use}_columns": ["id"] for use in ("list", "show", "add", "edit", "search", "order")}
    return type(
        name,
        (base,),
        {
            **columns,
            "base_entity": entity,
            "base_registry": registry,
            "permission_keys": keys,
            "exclude_route_methods": {*base.exclude_route_methods, *(method for method, offer in offers.items() if not offer)},
            "datamodel": EntityInterface(entity.model, session),
            "resource_name": entity.resource,
            "class_permission_name": name,
            "openapi_spec_tag": entity.label_plural,
        },
    )


__all__ = ["EntityApi", "api_class", "api_name"]
