"""What a record's page holds back: files, given out by the field that holds them, and encrypted values, given out for a reason."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext
from markupsafe import Markup

from core.delivery.web.crud.addressing import REVEAL, url_of
from core.delivery.web.crud.kept import answer_file
from core.delivery.web.identity import can
from core.delivery.web.unit import db
from core.engines.metadata.custom import reveal
from core.engines.metadata.entity import EntityType, Field, FieldType
from core.engines.metadata.files import content_of, file_kind
from core.engines.metadata.media import PICTURES
from core.kernel.errors import Invalid, NotFound


class HeldValues:
    """The part of a generated view that gives out files and encrypted values; the rest gives `record`."""

    entity: EntityType

    def record(self, pk: str) -> Any:
        """The record of an address. Raises NotFound."""
        raise NotFound(id=pk)

    def held(self, record: Any, item: Field, value: Any) -> Markup:
        """A file with the way to it, or an encrypted value with the way to see it."""
        if item.is_sealed:
            url = url_of(self.entity, "reveal_field", pk=record.id, key=item.key) if can(REVEAL) else ""
            return Markup(render_template("kit/_sealed.html", value=value, url=url, id=f"sealed-{item.key}"))  # noqa: S704 - our template
        url = url_of(self.entity, "file", pk=record.id, key=item.key)
        is_picture = file_kind(db(), getattr(record, item.key)) in PICTURES
        return Markup(render_template("kit/_file.html", name=value, url=url, picture=f"{url}?show=1" if is_picture else ""))  # noqa: S704 - our template

    @expose("/file/<pk>/<key>", methods=["GET"])
    @has_access
    @permission_name("show")
    def file(self, pk: str, key: str) -> Any:
        """The file that a field of the record holds."""
        record, item = self._own_field(pk, key)
        if item.type is not FieldType.FILE or getattr(record, key) is None:
            raise NotFound
        return answer_file(content_of(db(), record.id, item, getattr(record, key)), as_picture="show" in request.args)

    @expose("/reveal/<pk>/<key>", methods=["POST"])
    @has_access
    @permission_name("reveal")
    def reveal_field(self, pk: str, key: str) -> Any:
        """The clear value of an encrypted field, as a fragment; the reason is put on record."""
        record, item = self._own_field(pk, key)
        if not item.is_sealed:
            raise NotFound
        try:
            clear = reveal(db(), record, item, reason=request.form.get("reason", ""))
        except Invalid as error:
            flash(gettext(error.message), "danger")
            return redirect(url_of(self.entity, "show", pk=pk))
        return render_template("kit/_sealed.html", value=clear, url="", id=f"sealed-{item.key}")

    def _own_field(self, pk: str, key: str) -> tuple[Any, Field]:
        """A record and one of the tenant's own fields of it, as far as the reader sees both. Raises NotFound."""
        item = self.entity.by_key.get(key)
        if item is None or not item.slot:
            raise NotFound
        return self.record(pk), item
