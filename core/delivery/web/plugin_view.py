"""The base of plugins' pages: Flask-AppBuilder's view behind a facade, so that plugins never import it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from flask_appbuilder.baseviews import BaseView, expose
from flask_appbuilder.security.decorators import has_access

from core.delivery.web.marks import tenant_only
from core.delivery.web.plugin_calls import call_page
from core.runtime.plugin_host.verdicts import Site

_NEEDS = "oms_permission"


class PageView(BaseView):
    """Pages of a plugin below `/t/<tenant><route_base>`. Each page is a method with `@page`; it gets the plugin's context.

    Name the class after the plugin (`JdShopView`), since Flask's endpoints are made from it, and set `route_base` and `default_view`.
    """

    plugin: ClassVar[str] = ""
    permission_keys: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.permission_keys = needed_permissions(cls)


def needed_permissions(view: type) -> dict[str, str]:
    """The permission of each page or endpoint that the class and its bases declare, by method."""
    found = {name: getattr(getattr(view, name, None), _NEEDS, "") for name in dir(view)}
    return {name: permission for name, permission in found.items() if permission}


def page(url: str, *, permission: str, methods: Sequence[str] = ("GET",)) -> Callable[[Callable[..., Any]], Any]:
    """Make a method `name(self, ctx, …)` answer at `url`, for members who have `permission` (or what a mark such as MEMBER asks for).

    Variables in the address are Flask's: `"/<uuid:hook>"`. What the page wrote is kept when its answer's status is below 400.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        @functools.wraps(function)
        def called(self: PageView, **arguments: Any) -> Any:
            site = Site("views", f"{type(self).__name__}.{function.__name__}", trips=False)
            return call_page(self.plugin, site, functools.partial(function, self), arguments)

        setattr(called, _NEEDS, permission)
        return expose(url, methods=tuple(methods))(has_access(tenant_only(called)))

    return decorate
