"""Errors of configuration.

OrderloomError
├── Invalid
│   └── ConfigRefused      some items are wrong; nothing was changed
├── NotFound
│   ├── KindUnknown        there is no such kind of item
│   └── VersionUnknown     there is no such version
└── Conflict
    └── ConfigStale        somebody else changed the item in the meantime
"""

from __future__ import annotations

from collections.abc import Mapping

from core.kernel.errors import Conflict, Invalid, NotFound


class ConfigRefused(Invalid):
    """The configuration is wrong like this; nothing was changed."""

    code = "config.refused"

    def __init__(self, problems: Mapping[str, str]) -> None:
        first = next(iter(problems))
        super().__init__(problems[first], field=first)
        self.problems = dict(problems)


class KindUnknown(NotFound):
    """There is no such kind of configuration."""

    code = "config.kind_unknown"


class VersionUnknown(NotFound):
    """There is no such version of the configuration."""

    code = "config.version_unknown"


class ConfigStale(Conflict):
    """Somebody else changed this in the meantime; look at it again and repeat your change."""

    code = "config.stale"
