"""What a condition may speak about: field types, and the catalogue that an entity offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

_PATH_LENGTH = 2


class FieldType(StrEnum):
    """The type of a field; the last two lead on to other fields and hold no value of their own."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    DATETIME = "datetime"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    CHOICES = "choices"
    REFERENCE = "reference"
    RELATION = "relation"
    COLLECTION = "collection"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a catalogue.

    `label` is what people read, already translated; empty means the name. `choices` maps stored values to labels and is for
    CHOICE and CHOICES; None accepts any value. `fields` is for RELATION (to one, written `customer.city`) and COLLECTION (to
    many).
    """

    type: FieldType
    label: str = ""
    choices: Mapping[str, str] | None = None
    fields: Mapping[str, FieldSpec] | None = None


Catalogue = Mapping[str, FieldSpec]


def find_field(catalogue: Catalogue, path: tuple[str, ...]) -> FieldSpec | None:
    """The field at `path` (one name, or a to-one relation and a name), or None when the catalogue has none there."""
    spec = catalogue.get(path[0]) if 0 < len(path) <= _PATH_LENGTH else None
    if spec is None or len(path) == 1:
        return spec
    if spec.type is not FieldType.RELATION or spec.fields is None:
        return None
    return spec.fields.get(path[1])


def label_of(catalogue: Catalogue, path: tuple[str, ...]) -> str:
    """What people call the field at `path`: labels joined by a space, names where there is no label."""
    words = []
    for end in range(1, len(path) + 1):
        spec = find_field(catalogue, path[:end])
        words.append(spec.label if spec and spec.label else path[end - 1])
    return " ".join(words)
