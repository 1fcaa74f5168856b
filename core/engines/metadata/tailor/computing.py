"""Formulas and rollups of a configuration: what each is of, what is wrong with it, and that none leads back to itself.

A field's type may follow from fields of other entity types (a rollup over a formula), so fields are settled one after the other, each
when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from core.engines.configuration.changes import Body
from core.engines.configuration.kinds import Problem
from core.engines.metadata.entity import EntityRegistry, EntityType, Field, FieldType
from core.engines.metadata.formulas import RESULT_TYPES, fits_result, value_type_of
from core.engines.metadata.rollups import ROLLUP_SIZE, fields_named
from core.engines.metadata.typed import STORED_SIZE
from core.kernel.expressions import Expression, ExpressionInvalid, ValueType, compile_expression
from core.runtime.db.expression_sql import sql_size

Place = tuple[str, str]
_NUMBERS = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY, FieldType.QUANTITY})
_TIMES = frozenset({FieldType.DATE, FieldType.DATETIME})


class _Cycle(Exception):
    def __init__(self, path: Sequence[Place]) -> None:
        super().__init__()
        self.path = list(path)


class Computing:
    """The fields of all entity types of one configuration, the computed ones with their types. `fields` are a tenant's own, with their
    bodies; `fixed` the fields that the tenant's own entity types have besides."""

    def __init__(
        self,
        base: EntityRegistry,
        fields: Mapping[str, Sequence[tuple[Field, Body]]],
        fixed: Mapping[str, Sequence[Field]],
    ) -> None:
        self._base, self._fixed = base, fixed
        self._given = {(key, item.key): (item, body) for key, found in fields.items() for item, body in found}
        self._done: dict[Place, Field | None] = {}
        self._sizes: dict[Place, int | None] = {}
        self._stack: list[Place] = []
        self.problems: dict[Place, list[Problem]] = {}

    def field(self, entity: str, key: str) -> Field | None:
        """A field with its settled type; None when there is none, or when it is computed and wrong."""
        place = (entity, key)
        if place not in self._given:
            return self._of_code(entity, key)
        item, body = self._given[place]
        if not item.is_computed:
            return item
        if place in self._done:
            return self._done[place]
        if place in self._stack:
            raise _Cycle([*self._stack[self._stack.index(place) :], place])
        self._stack.append(place)
        try:
            found = self._settled(place, item, body)
        except _Cycle as cycle:
            self._note(place, Problem(_path_of(item), f"This leads back to itself: {_told(cycle.path)}."))
            self._done[place] = None
            if place in cycle.path[1:-1]:
                raise
            return None
        finally:
            self._stack.pop()
        self._done[place] = found
        return found

    def problems_of(self, entity: str, key: str) -> list[Problem]:
        """What is wrong with a computed field."""
        if (entity, key) in self._given:
            self.field(entity, key)
        return self.problems.get((entity, key), [])

    def _of_code(self, entity: str, key: str) -> Field | None:
        known = self._base.find(entity)
        if known is not None and entity not in self._fixed:
            return known.by_key.get(key)
        return next((item for item in self._fixed.get(entity, ()) if item.key == key), None)

    def _is_entity(self, entity: str) -> bool:
        return entity in self._fixed or self._base.find(entity) is not None

    def _note(self, place: Place, *found: Problem) -> None:
        self.problems.setdefault(place, []).extend(found)

    def _settled(self, place: Place, item: Field, body: Body) -> Field | None:
        found = self._formula(place, item) if item.formula else self._rollup(place, item)
        if isinstance(found, Problem):
            self._note(place, found)
            return None
        can_filter = bool(body.get("filterable", True)) and self._sizes.get(place) is not None
        return replace(found, is_filterable=can_filter, is_sortable=can_filter)

    # Formulas

    def _formula(self, place: Place, item: Field) -> Problem | Field:
        try:
            expression = compile_expression(item.formula, _Names(self, place[0]))
        except ExpressionInvalid as error:
            at = error.facts.get("position")
            where = f" (character {at + 1})" if at is not None else ""
            return Problem("formula", f"{error.message}{where}")
        shown = item.type if self._given[place][1].get("result") else RESULT_TYPES.get(expression.result_type)
        if shown is None or (not fits_result(expression.result_type, shown) and expression.result_type is not ValueType.NOTHING):
            return Problem("result", f"The formula gives a value of type {expression.result_type}.")
        parts = [self.field(place[0], name) for name in expression.names]
        self._sizes[place] = self._size(place[0], expression)
        return replace(item, type=shown, is_personal=item.is_personal or any(part is not None and part.is_personal for part in parts))

    def _size(self, entity: str, expression: Expression) -> int | None:
        """How large the formula is as SQL; None when it has none."""
        sizes = {}
        for name in expression.names:
            size = self._sizes.get((entity, name)) if self._is_computed(entity, name) else STORED_SIZE
            if size is not None:
                sizes[name] = size
        return sql_size(expression, sizes)

    def _is_computed(self, entity: str, key: str) -> bool:
        return (entity, key) in self._given and self._given[entity, key][0].is_computed

    # Rollups

    def _rollup(self, place: Place, item: Field) -> Problem | Field:
        rollup = item.rollup
        if rollup is None or not self._is_entity(rollup.entity):
            return Problem("rollup.entity", "There is no such kind of record.")
        via = self.field(rollup.entity, rollup.via)
        if via is None or via.type is not FieldType.REFERENCE or via.target != place[0]:
            return Problem("rollup.via", "This field does not refer to these records.")
        for name in sorted(fields_named(rollup.where)):
            self.field(rollup.entity, name)  # only to find out whether it leads back here
        self._sizes[place] = ROLLUP_SIZE
        if rollup.use == "count" and not rollup.of:
            return replace(item, type=FieldType.INTEGER, currency="")
        of = self.field(rollup.entity, rollup.of)
        wrong = self._wrong_of(item, of)
        if wrong is not None or of is None:
            return wrong or Problem("rollup.of", "There is no such field.")
        return self._typed(item, of)

    def _wrong_of(self, item: Field, of: Field | None) -> Problem | None:
        rollup = item.rollup
        if rollup is None or of is None:
            return Problem("rollup.of", "There is no such field." if rollup is not None and rollup.of else "This is needed.")
        allowed = _NUMBERS | _TIMES if rollup.use in ("min", "max") else _NUMBERS
        has_sql = not of.is_computed or self._sizes.get((rollup.entity, rollup.of)) is not None
        if value_type_of(of) is None or (rollup.use != "count" and of.type not in allowed) or not has_sql:
            return Problem("rollup.of", "Values of this field cannot be put together like this.")
        if of.type is not FieldType.MONEY or rollup.use == "count":
            return None
        if of.currency_key and not item.currency:
            return Problem("currency", "These amounts are in several currencies. Say in which one to sum; the others are left out.")
        if of.currency and item.currency and of.currency != item.currency:
            return Problem("currency", f"These amounts are in {of.currency}.")
        return None

    def _typed(self, item: Field, of: Field) -> Field:
        use = item.rollup.use if item.rollup is not None else "count"
        if use == "count":
            return replace(item, type=FieldType.INTEGER)
        kind = FieldType.DECIMAL if use == "avg" and of.type is FieldType.INTEGER else of.type
        personal = item.is_personal or of.is_personal
        if kind is not FieldType.MONEY:
            return replace(item, type=kind, is_personal=personal, currency="")
        currency = item.currency or of.currency
        return replace(item, type=kind, is_personal=personal, currency=currency)


def _path_of(item: Field) -> str:
    return "formula" if item.formula else "rollup"


def _told(path: Sequence[Place]) -> str:
    """The way round; where it passes through other entity types, with their names."""
    first = path[0][0]
    return " → ".join(key if entity == first else f"{entity}/{key}" for entity, key in path)


class _Names(Mapping[str, ValueType]):
    """The names that formulas of an entity type may use, each settled when it is asked for."""

    def __init__(self, computing: Computing, entity: str) -> None:
        self._computing, self._entity = computing, entity

    def _find(self, key: object) -> ValueType | None:
        item = self._computing.field(self._entity, str(key))
        return None if item is None else value_type_of(item)

    def __contains__(self, key: object) -> bool:
        return self._find(key) is not None

    def __getitem__(self, key: str) -> ValueType:
        found = self._find(key)
        if found is None:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def needs_sight(entity: EntityType) -> bool:
    """Whether the entity type sums up records of others, of which readers may see some only."""
    return any(item.rollup is not None for item in entity.fields)

