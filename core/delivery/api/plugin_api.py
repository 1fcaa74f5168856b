"""The base of plugins' REST resources: Flask-AppBuilder's API behind a facade, so that plugins never import it."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from flask_appbuilder.api import BaseApi, expose, protect

from core.delivery.api.base import Described, Rest
from core.delivery.api.describe import READ_PROBLEMS, WRITE_PROBLEMS, Schema, answer, body_of, id_parameter, operation, problems
from core.delivery.web.plugin_calls import call_page
from core.delivery.web.plugin_view import needed_permissions
from core.runtime.plugin_host.verdicts import Site

_SHAPE = "oms_shape"
_VARIABLE = re.compile(r"<(?:[a-z_]+:)?([a-z_]+)>")


@dataclass(frozen=True, slots=True)
class Shape:
    """What an endpoint takes and gives, for the OpenAPI document, as JSON Schema: body, answer, its status, and query arguments by name."""

    takes: Schema | None = None
    gives: Schema | None = None
    status: int = 200
    query: Mapping[str, Schema] = field(default_factory=dict)


class ApiView(Rest, BaseApi):
    """A resource of a plugin below `/api/v1/<resource_name>`. Each endpoint is a method with `@endpoint`; it gets the plugin's context.

    Errors of the five kinds become Problem Details. Name the class after the plugin and set `resource_name` and `openapi_spec_tag`.
    """

    plugin: ClassVar[str] = ""
    permission_keys: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.permission_keys = needed_permissions(cls)
        cls.class_permission_name = cls.__name__

    def described(self) -> Described:
        """The endpoints, as their decorators and docstrings tell."""
        paths: dict[str, dict[str, Any]] = {}
        for name in self.permission_keys:
            function = getattr(self, name)
            for url, methods in function._urls:  # noqa: SLF001 - where Flask-AppBuilder's `expose` keeps them
                path = _VARIABLE.sub(r"{\1}", f"/{self.resource_name}{url}")
                for method in methods:
                    paths.setdefault(path, {})[method.lower()] = self._operation(name, url, method)
        return Described(paths)

    def _operation(self, name: str, url: str, method: str) -> Schema:
        function = getattr(self, name)
        shape: Shape = getattr(function, _SHAPE)
        summary, _, text = (inspect.getdoc(function) or name).partition("\n\n")
        parameters = [id_parameter(variable, variable.replace("_", " ")) for variable in _VARIABLE.findall(url)]
        parameters += [{"name": key, "in": "query", "schema": schema} for key, schema in shape.query.items()]
        said = {str(shape.status): answer("Done." if shape.gives is None else "The answer.", shape.gives)}
        made = operation(
            f"{self.resource_name}.{name}",
            tag=self.openapi_spec_tag or self.resource_name or name,
            summary=" ".join(summary.split()),
            permission=self.permission_keys[name],
            parameters=parameters,
            requestBody=body_of(shape.takes) if shape.takes is not None else {},
            responses=said | problems([*(READ_PROBLEMS if method == "GET" else WRITE_PROBLEMS), "404"]),
        )
        return made | ({"description": f"{made['description']} {' '.join(text.split())}"} if text else {})


def endpoint(
    url: str, *, permission: str, methods: Sequence[str] = ("GET",), shape: Shape | None = None
) -> Callable[[Callable[..., Any]], Any]:
    """Make a method `name(self, ctx, …)` answer at `url`, for who has `permission`; it returns `json_response(…)` or another answer."""

    def decorate(function: Callable[..., Any]) -> Any:
        @functools.wraps(function)
        def called(self: ApiView, **arguments: Any) -> Any:
            site = Site("api", f"{type(self).__name__}.{function.__name__}", trips=False)
            return call_page(self.plugin, site, functools.partial(function, self), arguments)

        called.oms_permission = permission  # type: ignore[attr-defined]
        setattr(called, _SHAPE, shape or Shape())
        return expose(url, methods=tuple(methods))(protect()(called))

    return decorate
