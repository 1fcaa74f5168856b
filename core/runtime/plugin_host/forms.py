"""Settings forms: a plugin's marshmallow schema as a plain description that any page can draw, also when the plugin itself is broken.

The description is stored when the plugin is installed; checking always uses the real schema.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any, cast

import structlog
from marshmallow import Schema, ValidationError, fields, missing, validate

from core.kernel.errors import OrderloomError
from core.kernel.messages import N_
from core.runtime.plugin_host.containment import Attempt, attempt, placed
from core.runtime.plugin_host.errors import ConfigInvalid

FormField = dict[str, Any]
WHOLE_FORM = "_schema"
SCHEMA_BUDGET_S = 2.0
_log = structlog.get_logger(__name__)

_TYPES: tuple[tuple[type[fields.Field], str, str], ...] = (
    (fields.Url, "url", "url"),
    (fields.Email, "email", "email"),
    (fields.String, "text", "text"),
    (fields.Integer, "integer", "number"),
    (fields.Decimal, "decimal", "decimal"),
    (fields.Float, "number", "decimal"),
    (fields.Boolean, "boolean", "switch"),
    (fields.DateTime, "moment", "moment"),
    (fields.Date, "date", "date"),
    (fields.Time, "time", "time"),
    (fields.Enum, "choice", "select"),
    (fields.List, "list", "lines"),
    (fields.Mapping, "mapping", "pairs"),
)


class SchemaUnfit(OrderloomError):
    """A settings schema uses something that no form can show; a defect of the plugin."""

    code = "plugin.schema_unfit"


class Secret(fields.String):
    """A text that is stored sealed, shown never, and handed to the plugin in `ctx.secrets`.

    The same as a String whose metadata says `"secret": True`, only shorter.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(load_only=True, **options)


def is_secret(field: fields.Field) -> bool:
    """Whether the value of `field` belongs into the vault."""
    return isinstance(field, Secret) or bool(field.metadata.get("secret"))


def secret_names(schema: Schema) -> tuple[str, ...]:
    """The write-only fields of a settings schema."""
    return tuple(name for name, field in schema.fields.items() if is_secret(field))


def form_of(schema: Schema) -> list[FormField]:
    """Describe the fields of `schema` for drawing, in the order they are shown.

    Each field is a dictionary: name, type, widget, label, help, group, required, secret, and where they apply default, choices
    ([value, label] pairs), options (true: ask `options_for`), min, max, min_length, max_length, pattern, item, visible_if. What marshmallow
    does not know stands in a field's `metadata`: label, help, group, widget, order, visible_if, placeholder, and `options`, a function
    of the context that returns [value, label] pairs.
    Raises: SchemaUnfit.
    """
    described = [(field.metadata.get("order", index), _described(name, field)) for index, (name, field) in enumerate(schema.fields.items())]
    names = set(schema.fields)
    for _order, entry in described:
        unknown = _names_in(entry.get("visible_if")) - names
        if unknown:
            raise SchemaUnfit(f"{entry['name']}: visible_if asks for {', '.join(sorted(unknown))}, which the schema does not have.")
    return [entry for _order, entry in sorted(described, key=lambda pair: pair[0])]


def _described(name: str, field: fields.Field) -> FormField:
    if field.data_key not in (None, name) or field.attribute not in (None, name):
        raise SchemaUnfit(f"{name}: data_key and attribute cannot be used in settings.")
    kind, widget = _kind_of(name, field)
    meta = field.metadata
    entry: FormField = {
        "name": name,
        "type": kind,
        "widget": meta.get("widget", "password" if is_secret(field) else widget),
        "label": str(meta.get("label", name.replace("_", " ").capitalize())),
        "help": str(meta.get("help", "")),
        "group": str(meta.get("group", "")),
        "required": bool(field.required),
        "secret": is_secret(field),
    }
    if isinstance(field, fields.List):
        entry["item"] = _kind_of(name, field.inner)[0]
        entry |= {key: value for key, value in _limits(field.inner).items() if key == "choices"}
    entry |= _limits(field)
    if entry.get("choices") or callable(meta.get("options")):
        entry["type"] = "choices" if isinstance(field, fields.List) else "choice"
        entry["widget"] = meta.get("widget", "checkboxes" if isinstance(field, fields.List) else "select")
    entry |= {key: meta[key] for key in ("visible_if", "placeholder") if key in meta}
    if callable(meta.get("options")):
        entry["options"] = True
    default = None if is_secret(field) else _default_of(field)
    if default is not None:
        entry["default"] = default
    return entry


def _kind_of(name: str, field: fields.Field) -> tuple[str, str]:
    for known, kind, widget in _TYPES:
        if isinstance(field, known):
            return kind, widget
    raise SchemaUnfit(f"{name}: {type(field).__name__} fields cannot be shown in a form.")


def _default_of(field: fields.Field) -> Any:
    default = field.load_default() if callable(field.load_default) else field.load_default
    if default is missing or default is None:
        return None
    return _plain(field._serialize(default, "", None))  # noqa: SLF001 - the field's own way to text; marshmallow has no public one


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def _limits(field: fields.Field) -> FormField:
    """What the field's validators say, in the words of a form."""
    found: FormField = {}
    if isinstance(field, fields.Enum):
        found["choices"] = [[member.name, str(member.value)] for member in cast("type[Enum]", field.enum)]
    for check in field.validators:
        if isinstance(check, validate.OneOf):
            labels = list(check.labels) or [str(choice) for choice in check.choices]
            found["choices"] = [[_plain(choice), str(label)] for choice, label in zip(check.choices, labels, strict=False)]
        elif isinstance(check, validate.Length):
            found |= _given(min_length=check.equal or check.min, max_length=check.equal or check.max)
        elif isinstance(check, validate.Range):
            found |= _given(min=_plain(check.min), max=_plain(check.max))
        elif isinstance(check, validate.Regexp):
            found["pattern"] = check.regex.pattern
    return found


def _given(**values: Any) -> FormField:
    return {name: value for name, value in values.items() if value is not None}


def _names_in(tree: Any) -> set[str]:
    """The fields that a condition tree asks for."""
    if isinstance(tree, Mapping):
        own = {tree["field"]} if isinstance(tree.get("field"), str) else set()
        return own.union(*(_names_in(value) for value in tree.values()))
    if isinstance(tree, list | tuple):
        return set().union(*(_names_in(value) for value in tree))
    return set()


def load_values(schema: Schema, values: Mapping[str, Any]) -> dict[str, Any]:
    """The typed values, defaults filled in. Raises: ConfigInvalid - `errors` by field, `_schema` for the form as a whole."""
    loaded: dict[str, Any] = _asked(schema.load, dict(values))
    return loaded


def storable(schema: Schema, loaded: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The given values in the spelling that is stored: plain JSON, no secrets, and no default that nobody chose."""
    hidden = secret_names(schema)
    dumped = _asked(schema.dump, loaded)
    return {name: _plain(value) for name, value in dumped.items() if name in given and name not in hidden}


def _asked(function: Callable[[Any], Any], values: Any) -> Any:
    """What the plugin's schema answers; it is the plugin's code, so it may raise anything, or hang.

    Raises ConfigInvalid - it refuses the values, failed, or was late; then its thread is left to itself.
    """
    tried: list[Attempt[Any]] = []
    thread = threading.Thread(target=lambda: tried.append(attempt(function, values, let_through=())), name="plugin-schema", daemon=True)
    thread.start()
    thread.join(SCHEMA_BUDGET_S)
    if not tried:
        raise ConfigInvalid({WHOLE_FORM: [N_("The plugin did not check these settings in time.")]})
    value, error = tried[0]
    if isinstance(error, ValidationError):
        raise ConfigInvalid(_by_field(error.normalized_messages()))
    if error is not None:
        _log.warning("plugin.schema_failed", schema=str(function), reason=placed(error))
        raise ConfigInvalid({WHOLE_FORM: [N_("The plugin failed to check these settings.")]})
    return value


def _by_field(messages: Mapping[Any, Any]) -> dict[str, list[str]]:
    return {str(name): _texts(found) for name, found in messages.items()}


def _texts(found: Any) -> list[str]:
    """All messages below one field; list positions and keys of a mapping are put in front of theirs."""
    if isinstance(found, Mapping):
        return [f"{name}: {text}" for name, inner in found.items() for text in _texts(inner)]
    if isinstance(found, list | tuple):
        return [text for inner in found for text in _texts(inner)]
    return [str(found)]


def options_function(schema: Schema, name: str) -> Callable[[Any], Any] | None:
    """The function that offers the choices of a field, if it has one."""
    field = schema.fields.get(name)
    found = field.metadata.get("options") if field is not None else None
    return found if callable(found) else None
