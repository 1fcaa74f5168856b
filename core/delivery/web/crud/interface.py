"""Flask-AppBuilder's data model without its filters: lists are read by `core.engines.metadata.queries`, not by it."""

from __future__ import annotations

from typing import Any

from flask_appbuilder.models.filters import Filters
from flask_appbuilder.models.sqla.filters import SQLAFilterConverter
from flask_appbuilder.models.sqla.interface import SQLAInterface


class NoFilters(SQLAFilterConverter):
    """Offers no filter for any column."""

    def convert(self, col_name: str) -> list[Any]:  # noqa: ARG002 - the signature is Flask-AppBuilder's
        """Nothing."""
        return []


class EntityInterface(SQLAInterface):
    """The model behind a generated view."""

    filter_converter_class = NoFilters

    def get_filters(self, search_columns: Any = None, search_filters: Any = None) -> Filters:  # noqa: ARG002 - the signature is Flask-AppBuilder's
        """No filters: Flask-AppBuilder's live on the view and would be shared between requests."""
        return Filters(NoFilters, self, [])
