"""The settings as documentation: the reference page and the example of an environment file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_origin, get_type_hints

from config.schema import Settings, settings_fields, variable_of

_KINDS = {str: "text", int: "number", bool: "true/false", Path: "path"}


def reference_page() -> str:
    """docs/reference/settings.md."""
    lines = [
        "# Settings",
        "",
        "Generated from `config/schema.py` by `oms settings --write-pages`; a test fails when this page is old.",
        "",
        "The first of these that has a value wins: `OMS_<NAME>`, the file named by `OMS_<NAME>_FILE`, `config/<environment>.toml`,",
        "`config/default.toml`, the default. Lists are separated by commas or spaces. An unknown `OMS_` name is an error.",
        "",
        "| Variable | Kind | Default | Meaning |",
        "|---|---|---|---|",
    ]
    kinds = get_type_hints(Settings)
    for name, item in settings_fields().items():
        kind = "list" if get_origin(kinds[name]) is tuple else _KINDS[kinds[name]]
        kind += ", secret" if item.metadata["secret"] else ""
        about = item.metadata["about"]
        if item.metadata["choices"]:
            about += f" One of {', '.join(f'`{choice}`' for choice in item.metadata['choices'])}."
        lines.append(f"| `{variable_of(name)}` | {kind} | {_shown(item.default)} | {about} |")
    return "\n".join(lines) + "\n"


def environment_example() -> str:
    """deploy/.env.example: every setting with its meaning, commented out but for those that production needs."""
    needed = {
        "environment": "production",
        "database_url": "postgresql+psycopg://oms_app:PASSWORD@db:5432/orderloom",
        "relay_url": "postgresql+psycopg://oms_relay:PASSWORD@db:5432/orderloom",
        "queue_url": "redis://oms:PASSWORD@queue:6379/0",
        "secret_key": "",
        "master_key": "",
        "trusted_hosts": "orders.example.com",
        "trusted_proxies": "1",
        "cookie_secure": "true",
        "host": "0.0.0.0",  # noqa: S104 - inside a container, behind a proxy
    }
    lines = ["# Generated from config/schema.py by `oms settings --write-pages`. Lines that start with OMS_ must be filled in."]
    for name, item in settings_fields().items():
        lines += ["", f"# {item.metadata['about']}"]
        if name in needed:
            lines.append(f"{variable_of(name)}={needed[name]}")
        else:
            lines.append(f"#{variable_of(name)}={_plain(item.default)}")
    return "\n".join(lines) + "\n"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _shown(value: Any) -> str:
    return f"`{_plain(value)}`" if _plain(value) else ""
