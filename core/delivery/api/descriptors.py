"""What plugins contribute to the REST interface; frozen, light, and without Flask, since processes that serve no requests read it, too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ApiSpec:
    """A REST resource of a plugin. `load` returns the class, a `core.sdk.web.ApiView`, when the web application is built."""

    key: str
    load: Callable[[], type]
