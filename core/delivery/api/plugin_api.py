"""The base of plugins' REST resources: Flask-AppBuilder's API behind a facade, so that plugins never import it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from flask_appbuilder.api import BaseApi, expose, protect

from core.delivery.api.base import Described, Rest
from core.delivery.api.describe_plugin import Told, described_plugin
from core.delivery.web.plugin_calls import call_page
from core.delivery.web.plugin_view import needed_permissions
from core.runtime.plugin_host.verdicts import Site


class ApiView(Rest, BaseApi):
    """A resource of a plugin below `/api/v1/<resource_name>`. Each endpoint is a method with `@endpoint`; it gets the plugin's context.

    Errors of the five kinds become Problem Details. Name the class after the plugin and set `resource_name`; `openapi_spec_tag` is its
    heading in the OpenAPI document, which is made from what stands at the endpoints.
    """

    plugin: ClassVar[str] = ""
    permission_keys: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.permission_keys = needed_permissions(cls)
        cls.class_permission_name = cls.__name__

    def described(self) -> Described:
        """The endpoints in the OpenAPI document."""
        tag = self.openapi_spec_tag or self.resource_name or self.plugin
        return described_plugin(self, plugin=self.plugin, tag=tag, base=f"/{self.resource_name}")


def endpoint(
    url: str,
    *,
    permission: str,
    methods: Sequence[str] = ("GET",),
    takes: Mapping[str, Any] | None = None,
    gives: Mapping[str, Any] | None = None,
    status: int = 200,
) -> Callable[[Callable[..., Any]], Any]:
    """Make a method `name(self, ctx, …)` answer at `url`, for who has `permission`; it returns `json_response(…)` or another answer.

    For the OpenAPI document, not checked: `takes` is the JSON Schema of the body (of the query's arguments for GET), `gives` that of the
    answer, `status` the answer's code when all goes well. The first line of the docstring is the summary.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        @functools.wraps(function)
        def called(self: ApiView, **arguments: Any) -> Any:
            site = Site("api", f"{type(self).__name__}.{function.__name__}", trips=False)
            return call_page(self.plugin, site, functools.partial(function, self), arguments)

        called.oms_permission = permission  # type: ignore[attr-defined]
        called.oms_told = Told(url, tuple(methods), permission, takes, gives, status)  # type: ignore[attr-defined]
        return expose(url, methods=tuple(methods))(protect()(called))

    return decorate
