"""`oms up`: the whole of Orderloom in one terminal, for development and trials."""

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

from config.schema import ROOT, Settings
from core.delivery.cli.first_start import fingerprint, recall, remember
from core.delivery.cli.installation import embedded_servers, handed_down, kept_back, read_installation, with_servers
from core.delivery.cli.listening import is_ready, listen
from core.delivery.cli.output import NeedsSetUp
from core.delivery.cli.supervisor import Program, StopRequested, Supervisor, environment_for
from core.kernel.errors import Conflict, OrderloomError

READY_PATIENCE_S = 180.0
# So many ends of programs before the first readiness mean that it will not come.
CRASHES_BEFORE_READY = 6


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

    def start_programs(self, fd: int) -> None:
        """Start web, relay and worker. The order is the order in which they are stopped: first nothing new comes in."""
        keys = ("secret_key", "master_key")
        web = ("serve", "--fd", str(fd), "--graceful", "3")
        self.supervisor.add_program(self._program("web", web, ("database_url", "queue_url", *keys), inherit=(fd,)))
        self.supervisor.add_program(self._program("relay", ("relay",), ("relay_url", "database_url", "queue_url", *keys)))
        self.supervisor.add_program(self._program("worker", ("worker",), ("database_url", "queue_url", *keys)))

    def fill(self, *, demo: bool) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Make the administrator and, if wanted, the demo. Returns their log-ins (a password only when it is new) and demo programs."""
        keys = ("database_url", "queue_url", "secret_key", "master_key")
        admin = self.ask("user", "ensure-admin", "--json", knows=keys)
        made = self.ask("demo", "seed", "--json", knows=keys) if demo else {}
        return [admin, *made.get("logins", [])], made.get("programs", [])

    def start_demo(self, programs: list[dict[str, Any]]) -> None:
        """Start what the demo needs beside the site, such as the simulators of marketplaces: each with `name` and `arguments`."""
        for row in programs:
            self.supervisor.add_program(self._program(row["name"], tuple(row["arguments"])))

    def wait_until_ready(self) -> None:
        """Watch until /readyz answers 200. Raises StartFailed when the programs keep ending, or after three minutes."""
        give_up = time.monotonic() + READY_PATIENCE_S
        host, port = self.settings.host, self.settings.port
        while not is_ready(host, port):
            if self.supervisor.crashes >= CRASHES_BEFORE_READY or time.monotonic() > give_up:
                raise StartFailed("Orderloom did not get ready; what its programs said stands above.")
            look_again = time.monotonic() + 0.2
            self.supervisor.run(until=lambda until=look_again: time.monotonic() > until)  # type: ignore[misc]

    def _program(self, name: str, arguments: tuple[str, ...], knows: tuple[str, ...] = (), inherit: tuple[int, ...] = ()) -> Program:
        values = handed_down(self.settings, *knows) | {"OMS_PORT": str(self.settings.port), "OMS_HOST": self.settings.host}
        python_path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        return Program(
            name=name,
            command=(sys.executable, "-P", "-m", "core.delivery.cli.main", *arguments),
            env=environment_for((values | {"PYTHONPATH": python_path}).items(), without=kept_back()),
            inherit=inherit,
        )


@click.command(short_help="Run everything: servers, web, relay and worker.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on; the next free one if it is taken.")
@click.option("--no-demo", is_flag=True, help="Make no demo tenants.")
@click.option("--data", "data_dir", type=click.Path(path_type=Path, file_okay=False), help="Folder for the embedded servers and keys.")
def command(port: int | None, no_demo: bool, data_dir: Path | None) -> None:
    """Run Orderloom in the foreground until Ctrl-C: embedded servers where no others are set, web, relay and worker.

    Asks nothing. The first start makes an administrator and two demo tenants; the next ones take seconds.
    """
    given = {"port": port, "data_dir": data_dir.resolve() if data_dir else None}
    settings = read_installation(**{name: value for name, value in given.items() if value is not None})
    if settings.is_production and os.geteuid() == 0:
        raise NeedsSetUp("In production Orderloom does not run as root. Create a user for it (see deploy/systemd).")
    click.echo(f"{settings.site_name} is starting; Ctrl-C stops it.")
    with _only_one(settings.data_dir) as note, Supervisor() as supervisor:
        try:
            _run(Site(settings, supervisor), note, demo=not no_demo)
        except StopRequested:
            click.echo("\nStopping.")


def _run(site: Site, note: IO[str], *, demo: bool) -> None:
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
        # The demo's channels come first, so that the first look at them finds somebody there.
        site.start_demo(programs)
        site.start_programs(listener.fileno())
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
