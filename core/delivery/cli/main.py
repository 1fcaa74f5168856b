"""The command `oms`: finds its subcommands among the modules of this package and turns errors into messages and exit codes.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 something has to be set up first.
"""

from __future__ import annotations

import difflib
import importlib
import json
import os
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import click

import core
from config.reading import SettingsInvalid
from core.delivery.cli.output import NeedsSetUp
from core.kernel.errors import OrderloomError
from core.runtime.db.embedded_process import EmbeddedNotPossible

DONE, FAILED, USAGE, NEEDS_SET_UP = 0, 1, 2, 3
_UNDEFINED_TABLE = "42P01"
_FOLDER = Path(__file__).parent
_DEFINES_COMMAND = re.compile(r"^(?:def command\(|command\b\s*[:=])", re.MULTILINE)


class ModuleGroup(click.Group):
    """A group whose subcommands are the modules beside this one that define `command`; each is imported when it is used.

    The name is the module's, with hyphens for underscores and without a trailing one (`import_` is `oms import`).
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        """Names of all subcommands, sorted; imports nothing."""
        return sorted(_modules())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the signature is click's
        """The subcommand of that name, or None."""
        module = _modules().get(cmd_name)
        if module is None:
            return None
        command: click.Command = importlib.import_module(f"{__package__}.{module}").command
        command.name = cmd_name
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but name the nearest subcommand when there is none of that name."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(error.message + hint, ctx) from error


@cache
def _modules() -> dict[str, str]:
    found = (path for path in _FOLDER.glob("*.py") if _DEFINES_COMMAND.search(path.read_text(encoding="utf-8")))
    return {path.stem.rstrip("_").replace("_", "-"): path.stem for path in found}


@click.group(cls=ModuleGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(core.__version__, prog_name="oms")
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="The data folder, where it is not that of the settings."
)
def oms(data: Path | None) -> None:
    """Orderloom: order management from the command line."""
    if data is not None:
        os.environ["OMS_DATA_DIR"] = str(data.resolve())


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; messages go to standard error."""
    as_json = "--json" in arguments
    try:
        result = oms.main(args=arguments, prog_name="oms", standalone_mode=False)
    except click.exceptions.Abort:
        return _fail("Stopped.", "cli.stopped", FAILED, as_json=as_json)
    except click.UsageError as error:
        error.show()
        return USAGE
    except click.ClickException as error:
        return _fail(error.format_message(), "cli.failed", FAILED, as_json=as_json)
    except (NeedsSetUp, SettingsInvalid, EmbeddedNotPossible) as error:
        return _fail(error.message, error.code, NEEDS_SET_UP, as_json=as_json)
    except OrderloomError as error:
        return _fail(error.message, error.code, FAILED, as_json=as_json)
    except _database_errors() as error:
        message, code = _database_fault(error)
        return _fail(message, code, NEEDS_SET_UP, as_json=as_json) if message else _raise(error)
    except PermissionError as error:
        return _fail(f"{error.filename} cannot be used: {error.strerror}.", "cli.permission", FAILED, as_json=as_json)
    return result if isinstance(result, int) else DONE


def main() -> None:
    """The entry point of the console script."""
    sys.exit(run(sys.argv[1:]))


def _database_errors() -> tuple[type[Exception], ...]:
    """SQLAlchemy's kinds of error, if anything has loaded it; only then can one have been raised. Most commands start without it."""
    loaded = sys.modules.get("sqlalchemy.exc")
    return (loaded.DBAPIError,) if loaded else ()


def _database_fault(error: Any) -> tuple[str, str]:
    """What to tell of an error that says that the database is not set up; ("", "") for any other."""
    state = getattr(error.orig, "sqlstate", None)
    if state == _UNDEFINED_TABLE:
        return (
            "This database has no tables of Orderloom. Set it up with `oms migrate`, or name the folder with your data: oms --data DIR …",
            "cli.no_schema",
        )
    if isinstance(error, sys.modules["sqlalchemy.exc"].OperationalError) and state is None:
        return "The database cannot be reached. `oms doctor` says more.", "cli.no_database"
    return "", ""


def _raise(error: BaseException) -> int:
    raise error


def _fail(message: str, code: str, exit_code: int, *, as_json: bool) -> int:
    if as_json:
        click.echo(json.dumps({"error": code, "message": message}, ensure_ascii=False))
    else:
        click.echo(f"oms: {message}", err=True)
    return exit_code


if __name__ == "__main__":
    main()
