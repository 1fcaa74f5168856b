"""The descriptor of a permission, apart from the tables behind it, so that plugins can name one without loading them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing that a role can allow. `title` is an English message id; `group` is the heading in the roles matrix."""

    key: str
    title: str
    group: str
    plugin: str | None = None

    @property
    def area(self) -> str:
        """The key up to its last dot."""
        return self.key.rpartition(".")[0]
