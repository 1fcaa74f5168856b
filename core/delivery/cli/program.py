"""A program that a supervisor keeps running, described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# The module behind the command `oms`; in a command line its words follow.
MAIN = "core.delivery.cli.main"


@dataclass(frozen=True)
class Program:
    """A program to keep running. `env` is its whole environment; `inherit` are open files it receives.

    `preload` names what an `oms` command imports anyway; a nursery imports it once for all its programs.
    """

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(repr=False)
    inherit: tuple[int, ...] = ()
    preload: tuple[str, ...] = ()
