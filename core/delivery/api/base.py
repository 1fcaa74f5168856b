"""What all REST classes share: refusals as Problem Details, ids in addresses, and how a class describes itself in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from uuid import UUID

from core.delivery.web.identity import NotSignedIn
from core.kernel.errors import Denied, Invalid, NotFound
from core.kernel.ids import parse_id

API_ROOT = "/api/v1"


@dataclass(frozen=True, slots=True)
class Described:
    """A REST class in OpenAPI's words: operations by path (below `/api/v1`) and method, and the schemas they refer to."""

    paths: Mapping[str, Mapping[str, Any]]
    schemas: Mapping[str, Any] = field(default_factory=dict)


class Rest:
    """Put before Flask-AppBuilder's API class; what that one refuses then is a Problem Details document like all other errors."""

    csrf_exempt = False
    allow_browser_login = True

    def described(self) -> Described:
        """What the OpenAPI document says about this class; a class that says nothing is not in it."""
        return Described({})

    def response_401(self) -> NoReturn:
        """Nobody is signed in."""
        raise NotSignedIn

    def response_403(self) -> NoReturn:
        """The permission is missing."""
        raise Denied

    def response_400(self, message: str = "") -> NoReturn:
        """The arguments are wrong."""
        raise Invalid(message)

    response_422 = response_400

    def response_404(self) -> NoReturn:
        """There is no such thing."""
        raise NotFound


def id_from(text: str, error: type[NotFound] = NotFound, **facts: Any) -> UUID:
    """The id that an address spells. Raises `error` - it spells none."""
    found = parse_id(text)
    if found is None:
        raise error(**facts)
    return found
