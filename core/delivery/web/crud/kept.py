"""Fields whose stored value a form does not hold: files and encrypted values. What is left empty stays; a check box takes it away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Response, current_app, request
from flask_babel import gettext
from markupsafe import Markup
from werkzeug.datastructures import FileStorage
from wtforms import FileField, StringField
from wtforms.widgets import FileInput, TextInput

from core.delivery.web.unit import db
from core.engines.metadata.entity import Field, FieldType
from core.engines.metadata.files import MIB, FileLimits, StoredFile, receive
from core.engines.metadata.media import PICTURES

REMOVE = "remove"
_NAME = "attachment; filename*=UTF-8''"


def _with_current(field: Any, control: Markup) -> Markup:
    """The control, below what is stored now and the way to take it away."""
    current = getattr(field, "current", "")
    if not current:
        return control
    shown = Markup('<p class="hint">{}: {}</p>').format(gettext("Stored now"), current)
    box = Markup('<label class="check"><input type="checkbox" class="form-check-input" name="{}.{}" value="1"><span>{}</span></label>')
    required = field.flags.required or (field.render_kw or {}).get("required")
    return shown + control + (Markup("") if required else box.format(field.name, REMOVE, gettext("Remove")))


class UploadWidget(FileInput):
    """A file to send, below the name of the one that is there."""

    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        """The control."""
        if getattr(field, "current", ""):
            kwargs["required"] = False
        return _with_current(field, super().__call__(field, **kwargs))


class UploadField(FileField):
    """A file of a record."""

    widget = UploadWidget()
    current = ""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """The file that was chosen, or None."""
        chosen = [one for one in valuelist if isinstance(one, FileStorage) and one.filename]
        self.data = chosen[0] if chosen else None


class SealedWidget(TextInput):
    """An empty input; the stored value never comes back."""

    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        """The control."""
        kwargs["autocomplete"] = "off"
        if getattr(field, "current", ""):
            kwargs["required"] = False
        return _with_current(field, super().__call__(field, **kwargs))


class SealedField(StringField):
    """An encrypted value."""

    widget = SealedWidget()
    current = ""


def is_kept(item: Field) -> bool:
    """Whether a form leaves the stored value of this field alone unless something new is given."""
    return item.type is FieldType.FILE or item.is_sealed


def is_removed(item: Field, prefix: str = "") -> bool:
    """Whether the posted form takes the stored value away."""
    return f"{prefix}{item.key}.{REMOVE}" in request.form


def limits() -> FileLimits:
    """How large files of this installation may be."""
    settings = current_app.extensions["oms.system"].settings
    return FileLimits(settings.file_max_mb * MIB, settings.files_total_mb * MIB)


def take_files(fields: Iterable[Field], raw: dict[str, Any]) -> None:
    """Keep the posted files, and put their ids in place of them. Raises Invalid with the field's name - too large, no room, empty."""
    for item in fields:
        sent = raw.get(item.key)
        if item.type is FieldType.FILE and isinstance(sent, FileStorage):
            most = limits()
            data = sent.stream.read(most.each + 1)
            raw[item.key] = receive(db(), name=sent.filename or "", data=data, limits=most, field=item.key).id


def answer_file(stored: StoredFile, *, as_picture: bool) -> Response:
    """The file as an answer that no browser runs or guesses about: saved to disk, or shown where it is a plain picture and asked for."""
    answer = Response(stored.data, mimetype=stored.media_type)
    is_shown = as_picture and stored.media_type in PICTURES
    answer.headers["Content-Disposition"] = "inline" if is_shown else _NAME + _quoted(stored.name)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _quoted(name: str) -> str:
    """RFC 8187: everything but letters, digits and a few marks in percent signs."""
    plain = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"
    return "".join(chr(byte) if byte in plain else f"%{byte:02X}" for byte in name.encode())
