"""The whole of Orderloom as `oms up` runs it: embedded servers, web, relay, worker and the demo's simulators."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import click

from config.schema import Settings
from core.delivery.cli.environment import environment_for, handed_down, kept_back, python_path
from core.delivery.cli.first_start import fingerprint, recall, remember
from core.delivery.cli.installation import embedded_servers, read_installation, with_servers
from core.delivery.cli.listening import is_ready, listen
from core.delivery.cli.nursery import Nursery
from core.delivery.cli.output import NeedsSetUp
from core.delivery.cli.program import MAIN, Program
from core.delivery.cli.supervisor import StopRequested, Supervisor
from core.kernel.errors import Conflict, OrderloomError

READY_PATIENCE_S = 180.0
# So many ends of programs before the first readiness mean that it will not come.
CRASHES_BEFORE_READY = 6
# What programs import anyway; the nursery does it for all of them.
_FOR_ALL = ("app",)
_FOR_WEB = ("app", "core.delivery.cli.serve", "core.delivery.web_composition")



class StartFailed(OrderloomError):
    """A part of Orderloom did not start; what it said stands above."""

    code = "cli.start_failed"


class AlreadyUp(Conflict):
    """Another `oms up` works on this data folder."""

    code = "cli.already_up"


class Site:
    """One run of `oms up`: what is started, in which order, and what each process is told."""

    def __init__(self, settings: Settings, supervisor: Supervisor) -> None:
        self.settings = settings
        self.supervisor = supervisor

    def start_servers(self) -> None:
        """Start the embedded database and queue that the settings leave to us, and fill in their addresses."""
        servers = embedded_servers(self.settings)
        endpoints = queue_url = None
        if servers.database is not None:
            with _step("database", f"PostgreSQL in {_short(servers.database.state)}"):
                endpoints = self.supervisor.add_server("database", servers.database)
        if servers.queue is not None:
            with _step("queue", f"Valkey in {_short(servers.queue.state)}"):
                queue_url = self.supervisor.add_server("queue", servers.queue)
        self.settings = with_servers(self.settings, endpoints, queue_url)

    def migrate(self) -> None:
        """Bring the schema up to date, as the owner of the tables; without the owner's address somebody else has to."""
        if not self.settings.database_owner_url:
            _say("schema", "left alone: OMS_DATABASE_OWNER_URL is not set")
            return
        with _step("schema", "up to date"):
            self.ask("migrate", "--json", knows=("database_owner_url",))

    def ask(self, *arguments: str, knows: tuple[str, ...] = ()) -> dict[str, Any]:
        """Run another subcommand with `--json` among its arguments, and return its answer. Raises StartFailed when it fails."""
        code, printed = self.supervisor.call(self._program(arguments[0], arguments, knows))
        try:
            answer = json.loads(printed) if printed.strip() else {}
        except json.JSONDecodeError:
            answer = {"message": printed.strip()}
        if code != 0:
            raise StartFailed(f"`oms {' '.join(arguments)}` failed with code {code}. {answer.get('message', '')}".strip())
        return dict(answer)

    def start_programs(self, fd: int, demo: list[dict[str, Any]], nursery: Nursery) -> None:
        """Start web, relay, worker, and what the demo needs beside them, such as the simulators of marketplaces.

        `demo` has `name` and `arguments` of each. The order is the order in which they are stopped: first nothing new comes in. They are
        started the other way round, so that the first look at the demo's channels finds somebody there.
        """
        keys = ("secret_key", "master_key")
        web = ("serve", "--fd", str(fd), "--graceful", "3")
        relay = ("relay_url", "database_url", "queue_url", *keys)
        programs = [
            self._program("web", web, ("database_url", "queue_url", *keys), inherit=(fd,), preload=_FOR_WEB),
            self._program("relay", ("relay",), relay, preload=_FOR_ALL),
            self._program("worker", ("worker",), ("database_url", "queue_url", *keys), preload=_FOR_ALL),
            *(self._program(row["name"], tuple(row["arguments"]), preload=_FOR_ALL) for row in demo),
        ]
        self.supervisor.add_programs(programs, nursery)

    def fill(self, *, demo: bool) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Make the administrator and, if wanted, the demo. Returns their log-ins (a password only when it is new) and demo programs."""
        keys = ("database_url", "queue_url", "secret_key", "master_key")
        admin = self.ask("user", "ensure-admin", "--json", knows=keys)
        made = self.ask("demo", "seed", "--json", knows=keys) if demo else {}
        return [admin, *made.get("logins", [])], made.get("programs", [])

    def wait_until_ready(self) -> None:
        """Watch until /readyz answers 200. Raises StartFailed when the programs keep ending, or after three minutes."""
        give_up = time.monotonic() + READY_PATIENCE_S
        host, port = self.settings.host, self.settings.port
        while not is_ready(host, port):
            if self.supervisor.crashes >= CRASHES_BEFORE_READY or time.monotonic() > give_up:
                raise StartFailed("Orderloom did not get ready; what its programs said stands above.")
            look_again = time.monotonic() + 0.2
            self.supervisor.run(until=lambda until=look_again: time.monotonic() > until)  # type: ignore[misc]

    def _program(
        self,
        name: str,
        arguments: tuple[str, ...],
        knows: tuple[str, ...] = (),
        *,
        inherit: tuple[int, ...] = (),
        preload: tuple[str, ...] = (),
    ) -> Program:
        values = handed_down(self.settings, *knows) | {"OMS_PORT": str(self.settings.port), "OMS_HOST": self.settings.host}
        return Program(
            name=name,
            command=(sys.executable, "-P", "-m", MAIN, *arguments),
            env=environment_for((values | {"PYTHONPATH": python_path()}).items(), without=kept_back()),
            inherit=inherit,
            preload=preload,
        )


def bring_up(given: dict[str, Any], nursery: Nursery, *, demo: bool) -> None:
    """Run everything until a signal asks for the end; `given` are settings from the command line.

    Raises: NeedsSetUp - as root in production; AlreadyUp - another run holds the data folder; StartFailed - it did not get ready.
    """
    settings = read_installation(**given)
    if settings.is_production and os.geteuid() == 0:
        raise NeedsSetUp("In production Orderloom does not run as root. Create a user for it (see deploy/systemd).")
    click.echo(f"{settings.site_name} is starting; Ctrl-C stops it.")
    with _only_one(settings.data_dir) as note, Supervisor() as supervisor:
        try:
            _run(Site(settings, supervisor), note, nursery, demo=demo)
        except StopRequested:
            click.echo("\nStopping.")


def _run(site: Site, note: IO[str], nursery: Nursery, *, demo: bool) -> None:
    settings = site.settings
    with listen(settings.host, settings.port, lambda taken: _say("port", f"{taken} is taken, trying the next")) as listener:
        site.settings = replace(settings, port=listener.getsockname()[1])
        address = f"http://{'localhost' if settings.host in ('127.0.0.1', '::1') else settings.host}:{site.settings.port}"
        note.write(json.dumps({"pid": os.getpid(), "address": address}))
        note.flush()
        site.start_servers()
        wanted = fingerprint(demo=demo)
        known = recall(settings.data_dir, wanted) if settings.embeds_database else None
        if known is None:
            site.migrate()
        logins, programs = site.fill(demo=demo) if known is None else (known["logins"], known["programs"])
        site.start_programs(listener.fileno(), programs, nursery)
        nursery.close()
        with _step("web", "ready"):
            site.wait_until_ready()
        if known is None:
            remember(settings.data_dir, wanted, logins=logins, programs=programs)
        _greet(address, logins)
        site.supervisor.run()


def _greet(address: str, logins: list[dict[str, Any]]) -> None:
    click.echo(f"\n  Open      {address}")
    for login in logins:
        if login.get("password"):
            click.echo(f"  Log in    {login['login']}   password {login['password']}   {login.get('note', '(shown once)')}")
        else:
            click.echo(f"  Log in    {login['login']}   forgot the password? .venv/bin/oms user password {login['login']}")
    click.echo("")


@contextmanager
def _only_one(data_dir: Path) -> Iterator[IO[str]]:
    """Hold the data folder for this run; yields the file that says so. Raises AlreadyUp when another run holds it."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "up.json").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            other: dict[str, Any] = {}
            with contextlib.suppress(json.JSONDecodeError):
                other = json.loads(file.read())
            where = f" at {other['address']} (process {other['pid']})" if other else ""
            raise AlreadyUp(f"Orderloom already runs on {_short(data_dir)}{where}.") from error
        file.truncate(0)
        yield file


@contextmanager
def _step(name: str, text: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    _say(name, f"{text} ({time.monotonic() - began:.1f} s)")


def _say(name: str, text: str) -> None:
    click.echo(f"  {name:<9} {text}")


def _short(path: Path) -> str:
    """The path as people see it: relative to where they stand, if it lies below."""
    with contextlib.suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)
