"""The generated screens of one entity: list, show, peek, add, edit, delete, export, bulk actions, look-up.

Routes, permission checks and forms are Flask-AppBuilder's; what it would do with shared filters, row counts, error texts and GET requests
is replaced here, in one place (reference: docs/adr/0001).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, redirect, render_template, request, url_for
from flask_appbuilder import ModelView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict

from core.delivery.web.crud import bulk, grids
from core.delivery.web.crud.addressing import REVEAL, addresses_of, url_of, view_name
from core.delivery.web.crud.arguments import ListArguments, read_arguments
from core.delivery.web.crud.arranged import page_panels
from core.delivery.web.crud.editing import Editing, in_sentence
from core.delivery.web.crud.export import STYLES, csv_lines
from core.delivery.web.crud.forms import REFERENCES
from core.delivery.web.crud.held import HeldValues
from core.delivery.web.crud.interface import EntityInterface
from core.delivery.web.crud.layout import chosen_columns, save_columns
from core.delivery.web.crud.related import related_lists, wanted_of
from core.delivery.web.crud.render import renderer
from core.delivery.web.crud.scope import scope_of
from core.delivery.web.i18n import reader_zone
from core.delivery.web.identity import can
from core.delivery.web.schema import entities_for
from core.delivery.web.theme import grid
from core.delivery.web.theme.words import speaker
from core.delivery.web.unit import db
from core.engines.metadata import queries
from core.engines.metadata.entity import EntityRegistry, EntityType, Field, FieldType
from core.engines.metadata.queries import ListQuery
from core.kernel.errors import Invalid, NotFound
from core.kernel.ids import parse_id
from core.runtime.security import audit

LIST_NAMES = ("queue", "q", "sort", "size")
HISTORY_ROWS = 20


class SearchForm(FlaskForm):
    """Flask-AppBuilder wants a search form on every view; ours is in the list's tools."""


class EntityView(Editing, HeldValues, ModelView):
    """Base of all generated views; a subclass per entity is made by `view_class`."""

    base_entity: ClassVar[EntityType]
    base_registry: ClassVar[EntityRegistry]
    permission_keys: ClassVar[Mapping[str, str]]
    search_form = SearchForm
    add_form = SearchForm
    edit_form = SearchForm
    exclude_route_methods: ClassVar[set[str]] = {"download", "action", "action_post"}

    @property
    def registry(self) -> EntityRegistry:  # type: ignore[override]
        """The entity types as the present tenant has shaped them."""
        return entities_for(self.base_registry)

    @property
    def entity(self) -> EntityType:  # type: ignore[override]
        """The entity type of this view, as the present tenant has shaped it."""
        return self.registry.get(self.base_entity.key)

    # Lists

    @expose("/list/", methods=["GET"])
    @has_access
    def list(self) -> Any:
        """The list page, or its rows."""
        entity, arguments = self.entity, self.arguments()
        keys = chosen_columns(db(), entity)
        page = self._page(arguments, keys)
        addresses = self.addresses()
        rows_labels = queries.labels(db(), self.registry, entity, page.rows, keys)
        signs = grids.signs_of(entity, keys, page.rows)
        table = grid.Grid(
            columns=grids.columns_of(entity, keys, arguments, signs),
            rows=grids.rows_of(entity, keys, page, labels=rows_labels, addresses=addresses, signs=signs),
            pager=grids.pager_of(page, arguments),
            id=entity.resource,
            caption=gettext(entity.label_plural),
            show_url=addresses.show,
            peek_url=addresses.peek,
            edit_url=addresses.edit,
            delete_url=addresses.delete,
            bulk=self._bulk(arguments, page),
            empty=self._empty(addresses),
            is_filtered=bool(arguments.active or arguments.query.search),
            clear_url=arguments.without([*(name for one in arguments.active for name in one.names), "q"]),
        )
        return render_template(
            self.page_of("list"),
            title=gettext(entity.label_plural),
            head=self.list_head(addresses),
            tabs=grids.tabs_of(entity, arguments) if len(entity.queues) > 1 else [],
            counts_url=addresses.counts + self._counted(arguments) if addresses.counts else "",
            tools=self._tools(arguments, keys, addresses),
            grid=table,
        )

    def _page(self, arguments: ListArguments, keys: Sequence[str]) -> Any:
        """The rows; a place that no longer fits the order leads back to the first page."""
        wanted = wanted_of(self.entity, keys)
        try:
            return queries.fetch(db(), self.entity, arguments.query, now=self.now(), keys=wanted)
        except Invalid as error:
            if error.field != "cursor":
                raise
            first = ListQuery(**{name: getattr(arguments.query, name) for name in ("queue", "search", "condition", "sort", "size")})
            return queries.fetch(db(), self.entity, first, now=self.now(), keys=wanted)

    def _tools(self, arguments: ListArguments, keys: Sequence[str], addresses: grids.Addresses) -> grid.Tools:
        """Search, filters and columns; the chip of a filter that stays from list to list ends it for all of them."""
        tools, scope = grids.tools_of(self.entity, keys, arguments, addresses=addresses, all_keys=self._choosable()), scope_of(self.entity)
        for chip, one in zip(tools.chips, arguments.active, strict=True):
            if scope is not None and (one.item.key, one.text) == (scope.field, scope.value):
                chip.remove_url = scope.clear_url
            chosen = parse_id(one.text) if one.item.type in REFERENCES else None
            if chosen is not None:
                chip.value = queries.called(db(), self.registry, queries.named_kind(one.item), [chosen]).get(chosen, one.text)
                for line in tools.filters:
                    if line.name == f"f.{one.item.key}":
                        line.options = [(one.text, chip.value)]
        return tools

    def _counted(self, arguments: ListArguments) -> str:
        """The query string that lets the tabs count what the list's scope leaves over."""
        scope = scope_of(self.entity)
        name = f"f.{scope.field}" if scope is not None else ""
        return "?" + urlencode([pair for pair in arguments.raw if pair[0] == name]) if name in dict(arguments.raw) else ""

    @expose("/counts", methods=["GET"])
    @has_access
    @permission_name("list")
    def counts(self) -> Any:
        """The counts of the queue tabs, as a fragment."""
        scope = scope_of(self.entity)
        chosen = parse_id(request.args.get(f"f.{scope.field}", "")) if scope is not None else None
        within = ((scope.field, chosen),) if scope is not None and chosen is not None else ()
        found = queries.queue_counts(db(), self.entity, now=self.now(), within=within)
        kinds = {queue.key: queue.kind for queue in self.entity.queues}
        counts = [
            {"key": key, "text": f"{n:,}+" if capped else f"{n:,}", "kind": kinds[key] if n else ""} for key, (n, capped) in found.items()
        ]
        return render_template("kit/_counts.html", counts=counts)

    @expose("/columns", methods=["POST"])
    @has_access
    @permission_name("list")
    def columns(self) -> Any:
        """Keep the reader's choice of columns."""
        keys = [] if "reset" in request.form else [key for key in request.form.getlist("column") if key in self._choosable()]
        save_columns(db(), self.entity, keys)
        return redirect(url_for(f"{self.endpoint}.list"))

    @expose("/export.csv", methods=["GET"])
    @has_access
    @permission_name("export")
    def export(self) -> Any:
        """The list as a CSV file."""
        fields = [item for item in queries.readable_fields(self.entity) if not item.is_sealed]
        keys = [item.key for item in fields if not item.is_personal or can("customers.reveal")]
        arguments, session, style = self.arguments(), db(), request.args.get("for", "")
        if style not in STYLES:
            raise Invalid("This is not one of the choices.", field="for")
        if arguments.problems:
            raise Invalid("A filter of the list was not understood, so nothing was done.", field=arguments.problems[0].key)
        audit.record(session, "records.exported", self.entity.key, "", {"columns": (None, ", ".join(keys))})
        lines = csv_lines(
            session,
            self.registry,
            self.entity,
            arguments.query,
            keys=keys,
            now=self.now(),
            style=style,
        )
        name = f"{self.entity.resource}-{self.now():%Y%m%d-%H%M}.csv"
        return Response("".join(lines), mimetype="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'})

    # Single records

    @expose("/show/<pk>", methods=["GET"])
    @has_access
    def show(self, pk: str) -> Any:
        """The page of one record."""
        record = self.record(pk)
        addresses = self.addresses()
        return render_template(
            self.page_of("show"),
            title=self.title_of(record),
            head=self.show_head(record, addresses),
            panels=self.panels(record),
            related=self.related(record),
            events=self.history(record),
            **self.show_context(record),
        )

    @expose("/peek/<pk>", methods=["GET"])
    @has_access
    @permission_name("show")
    def peek(self, pk: str) -> Any:
        """A record at the side of the list, as a fragment."""
        record = self.record(pk)
        addresses = self.addresses()
        url = addresses.show.replace(grid.KEY, pk)
        return render_template("kit/peek.html", title=self.title_of(record), url=url, head=None, panels=self.panels(record), actions=[])

    # Bulk actions and look-ups

    @expose("/bulk", methods=["POST"])
    @has_access
    @permission_name("list")
    def bulk(self) -> Any:
        """Carry out an action on chosen rows, or on all that match."""
        return bulk.carry_out(self)

    @expose("/lookup", methods=["GET"])
    @has_access
    @permission_name("lookup")
    def lookup(self) -> Any:
        """Records to choose from, for a reference field."""
        found = queries.lookup(db(), self.entity, request.args.get("q", "")[:100].replace("\x00", ""), now=self.now())
        return {"options": [{"value": str(key), "text": text} for key, text in found]}

    # Parts that special views replace

    def page_of(self, name: str) -> str:
        """The template of a page."""
        return f"kit/{name}.html"

    def show_context(self, _record: Any) -> dict[str, Any]:
        """More values for the record's page."""
        return {"side": [], "notices": [], "neighbours": None}

    def list_head(self, addresses: grids.Addresses) -> dict[str, Any]:
        """Primary button and more actions of the list's head."""
        primary = None
        if addresses.add:
            primary = grid.Action(gettext("Add %(name)s", name=in_sentence(gettext(self.entity.label))), addresses.add, "plus")
        return {"primary": primary, "more": [], "crumbs": None, "sub": ""}

    def show_head(self, record: Any, addresses: grids.Addresses) -> dict[str, Any]:
        """Primary button, states and more actions of the record's head."""
        edit = addresses.edit.replace(grid.KEY, str(record.id)) if addresses.edit else ""
        more = []
        if addresses.delete:
            question = gettext("Delete this record for good?")
            url = addresses.delete.replace(grid.KEY, str(record.id))
            more.append(grid.Action(gettext("Delete"), url, "trash", method="post", confirm=question, kind="bad"))
        return {
            "primary": grid.Action(gettext("Edit"), edit, "edit") if edit else None,
            "more": more,
            "crumbs": [{"label": gettext(self.entity.label_plural), "url": url_for(f"{self.endpoint}.list")}],
            "edit_url": edit,
            "states": [],
            "copy": "",
        }

    def title_of(self, record: Any) -> str:
        """What to call a record."""
        title = getattr(record, self.entity.title_field, None)
        return str(title) if title not in (None, "") and self.entity.title_field != "id" else gettext(self.entity.label)

    def panels(self, record: Any, *, only_own: bool = False) -> Sequence[dict[str, Any]]:
        """The record's fields with their values; `only_own` those that the business added, for pages that show the others in their way."""
        fields = [item for item in queries.readable_fields(self.entity) if not only_own or item.slot or item.is_computed]
        if not fields:
            return []
        names = queries.labels(db(), self.registry, self.entity, [record], [item.key for item in fields])

        def shown(item: Field) -> dict[str, Any]:
            value = renderer(item, labels=names, link=self.link)(record)
            if getattr(record, item.key) and (item.is_sealed or item.type is FieldType.FILE):
                value = self.held(record, item, value)
            return {"label": gettext(item.label), "value": value, "wide": item.type in (FieldType.LONG_TEXT, FieldType.JSON)}

        return page_panels(self.entity, fields, shown)

    def related(self, record: Any, *, only_own: bool = False) -> Sequence[dict[str, Any]]:
        """Short lists of the records that refer to this one; `only_own` those by which the business extended the code's."""
        parts = self.entity.related[len(self.base_entity.related) :] if only_own else self.entity.related
        return related_lists(self.registry, parts, record.id, now=self.now(), link=self.link, lookup=self.lookup_url)

    def history(self, record: Any) -> Sequence[dict[str, Any]]:
        """What the audit trail knows of the record, for the timeline."""
        if not can("audit.read"):
            return []
        wanted = audit.AuditFilter(subject_type=audit.subject_type(record), subject_id=str(record.id))
        return [bulk.timeline_entry(entry) for entry in audit.entries(db(), wanted, limit=HISTORY_ROWS)]

    # Helpers

    def now(self) -> datetime:
        """The present moment."""
        return datetime.now(UTC)

    def zone(self) -> tzinfo:
        """The reader's time zone."""
        return reader_zone()

    def arguments(self) -> ListArguments:
        """The list's arguments of this request."""
        default = self.entity.queues[0].key if self.entity.queues else ""
        given, scope = MultiDict(request.args), scope_of(self.entity)
        if scope is not None and scope.value and f"op.{scope.field}" not in given:
            given.setdefault(f"f.{scope.field}", scope.value)
        return read_arguments(self.entity, given, zone=self.zone(), default_queue=default)

    def posted_arguments(self) -> ListArguments:
        """The list's arguments as the bulk bar posts them."""
        posted = request.form.items(multi=True)
        kept = MultiDict((name, value) for name, value in posted if name.startswith(("f.", "op.")) or name in LIST_NAMES)
        return read_arguments(self.entity, kept, zone=self.zone(), default_queue=self.entity.queues[0].key if self.entity.queues else "")

    def record(self, pk: str) -> Any:
        """The record of an address. Raises NotFound."""
        found = parse_id(pk)
        if found is None:
            raise NotFound(entity=self.entity.key)
        return queries.record(db(), self.entity, found)

    def link(self, entity_key: str, record_id: UUID) -> str:
        """The address of a referred record's page; empty when the reader may not open it."""
        target = self.registry.get(entity_key)
        if not can(f"{target.area}.read"):
            return ""
        return url_of(target, "show", pk=record_id)

    def lookup_url(self, entity_key: str) -> str:
        """The address where records of an entity are searched; members, where none is named."""
        return url_of(self.registry.get(entity_key), "lookup") if entity_key else url_for("MemberView.lookup")

    def addresses(self) -> grids.Addresses:
        """Where the list's controls lead, as far as the reader may go."""
        return addresses_of(self.entity, link=self.link, lookup=self.lookup_url)

    def _choosable(self) -> Sequence[str]:
        return [item.key for item in queries.readable_fields(self.entity) if item.type is not FieldType.LONG_TEXT]

    def _empty(self, addresses: grids.Addresses) -> grid.Empty:
        text = gettext(self.entity.empty) if self.entity.empty else ""
        primary = self.list_head(addresses)["primary"]
        return grid.Empty(self.entity.icon or "inbox", gettext("Nothing here yet"), text, primary)

    def _bulk(self, arguments: ListArguments, page: Any) -> grid.Bulk | None:
        actions = [action for action in self.entity.actions if can(action.permission)]
        if not actions:
            return None
        say = speaker()
        shown = [
            grid.Action(
                say(one.label),
                key=one.key,
                icon=one.icon,
                kind=one.kind if one.kind == "bad" else "",
                confirm=say(one.confirm) if one.confirm else "",
            )
            for one in actions
        ]
        matching, is_capped = 0, False
        if (page.next_cursor or page.previous_cursor) and bulk.bulk_registry() is not None and not all(one.needs_names for one in actions):
            matching, is_capped = queries.count(db(), self.entity, arguments.query, now=self.now(), cap=bulk.COUNT_CAP)
        kept = [pair for pair in arguments.raw if pair[0] != "cursor"]
        return grid.Bulk(url_for(f"{self.endpoint}.bulk"), shown, matching, is_capped, query=kept)


def view_class(entity: EntityType, registry: EntityRegistry, session: Any, *, base: type[EntityView] = EntityView) -> type[EntityView]:
    """The view class of an entity, ready for `appbuilder.add_view`; its permission keys are the entity area's."""
    area = entity.area
    write = f"{area}.write"
    keys = {
        "list": f"{area}.read",
        "show": f"{area}.read",
        "lookup": f"{area}.read",
        "export": f"{area}.export",
        "add": write,
        "edit": write,
        "delete": f"{area}.delete",
        "reveal": REVEAL,
    }
    name = view_name(entity.key)
    return type(
        name,
        (base,),
        {
            "base_entity": entity,
            "base_registry": registry,
            "permission_keys": keys,
            "datamodel": EntityInterface(entity.model, session),
            "route_base": f"/{entity.resource}",
            "class_permission_name": name,
            "list_columns": ["id"],
            "search_columns": ["id"],
            "label_columns": {"id": "id"},
            "add_columns": ["id"],
            "edit_columns": ["id"],
            "show_columns": ["id"],
            "order_columns": ["id"],
            "list_title": entity.label_plural,
            "show_title": entity.label,
            "add_title": entity.label,
            "edit_title": entity.label,
        },
    )


__all__ = ["EntityView", "view_class"]
