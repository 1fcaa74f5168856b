"""What a child process is told through its environment, and what is kept from it."""

from __future__ import annotations

import os
from collections.abc import Iterable

from config.reading import as_variables
from config.schema import ROOT, Settings

# What each kind of process must know beyond the plain settings. Nobody but migrations learns the owner's address.
_ADDRESSES = ("database_url", "database_owner_url", "relay_url", "backup_url", "queue_url", "secret_key", "master_key")


def handed_down(settings: Settings, *names: str) -> dict[str, str]:
    """Environment variables that give a child process the addresses and keys called `names`, and the data folder."""
    unknown = set(names) - set(_ADDRESSES)
    if unknown:
        raise ValueError(f"not an address or key: {sorted(unknown)}")
    values = {name: getattr(settings, name) for name in names}
    return as_variables(values | {"data_dir": settings.data_dir, "environment": settings.environment})


def kept_back() -> list[str]:
    """Environment variables that a child process gets only by `handed_down`."""
    plain = list(as_variables(dict.fromkeys(_ADDRESSES, "")))
    return plain + [f"{name}_FILE" for name in plain]


def environment_for(values: Iterable[tuple[str, str]], *, without: Iterable[str] = ()) -> dict[str, str]:
    """Our environment with `values` set and the names of `without` taken out, for a child that must not know them."""
    hidden = set(without)
    return {name: value for name, value in os.environ.items() if name not in hidden} | {"PYTHONUNBUFFERED": "1"} | dict(values)


def python_path() -> str:
    """The search path for modules of child processes: the project before whatever ours says."""
    return os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
