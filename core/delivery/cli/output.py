"""What commands print, and how they say that something is missing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from core.kernel.errors import Conflict

json_option: Callable[..., Any] = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


class NeedsSetUp(Conflict):
    """Something has to be set up before this command can work; the message names the command that does it."""

    code = "cli.needs_set_up"


def show(data: Any, text: str, *, as_json: bool) -> None:
    """Print `data` as JSON, or else `text`."""
    click.echo(json.dumps(data, ensure_ascii=False, default=str, indent=1) if as_json else text)


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Rows as text in columns, each as wide as its longest value, with a line of headings."""
    cells = [list(columns), *([str(row.get(name, "")) for name in columns] for row in rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
    return "\n".join("  ".join(value.ljust(width) for value, width in zip(line, widths, strict=True)).rstrip() for line in cells)
