"""`oms serve`: the web server."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import click
from gunicorn.app.base import BaseApplication
from gunicorn.config import Config
from gunicorn.glogging import Logger

from config.schema import Settings
from core.delivery.cli.installation import running_installation
from core.kernel.collector import settle_collector
from core.runtime.db.role import refuse_powerful_role
from core.runtime.security.boot import refuse_lost_master_key


class WebLogger(Logger):
    """gunicorn's log lines, in the format of all others."""

    def setup(self, cfg: Config) -> None:
        """Let the lines go up to the root logger instead of to handlers of their own."""
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True


class WebServer(BaseApplication):
    """gunicorn, told everything from here: it reads no configuration file and no arguments.

    Each process builds its own application, so that nothing opened before the fork is shared; what is shared is the imported code.
    """

    cfg: Config

    def __init__(self, settings: Settings, *, bind: str, graceful_s: int) -> None:
        self._settings = settings
        self._bind = bind
        self._graceful_s = graceful_s
        super().__init__()

    def load_config(self) -> None:
        """Hand gunicorn its options."""
        for name, value in options(self._settings, bind=self._bind, graceful_s=self._graceful_s).items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Build the WSGI application of one process."""
        application = without_trace(importlib.import_module("app").create_app(self._settings))
        settle_collector()
        return application


def options(settings: Settings, *, bind: str, graceful_s: int) -> dict[str, Any]:
    """gunicorn's options for these settings."""
    return {
        "bind": [bind],
        "worker_class": "gthread",
        "workers": settings.web_processes,
        "threads": settings.web_threads,
        "timeout": settings.web_timeout_s,
        "graceful_timeout": graceful_s,
        "keepalive": 5,
        "max_requests": settings.web_max_requests,
        "max_requests_jitter": settings.web_max_requests // 10,
        "worker_tmp_dir": "/dev/shm" if settings.is_production else None,  # noqa: S108 - heartbeats must not wait for a disk
        "accesslog": "-" if settings.access_log else None,
        "errorlog": "-",
        "loglevel": settings.log_level,
        "logger_class": WebLogger,
        "proc_name": "oms-web",
        # Which proxies are believed is decided once, by the application (`trusted_proxies`), never by a header from loopback.
        "forwarded_allow_ips": "",
        "forwarder_headers": "",
        "secure_scheme_headers": {},
        "control_socket_disable": True,
    }


def without_trace(application: Callable[..., Any]) -> Callable[..., Any]:
    """Answer 405 to TRACE: it sends back a request's headers, so it would show a page's scripts the cookies they must not see."""

    def guarded(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if environ["REQUEST_METHOD"] in ("TRACE", "TRACK"):
            start_response("405 Method Not Allowed", [("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE"), ("Content-Length", "0")])
            return []
        return application(environ, start_response)

    return guarded


@click.command(short_help="Run the web server.")
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on.")
@click.option("--fd", type=int, help="Take over this open listening socket instead (a supervisor passes it).")
@click.option("--graceful", "graceful_s", type=int, default=30, show_default=True, help="Seconds running requests get at the end.")
def command(host: str | None, port: int | None, fd: int | None, graceful_s: int) -> None:
    """Run the web server in the foreground until SIGTERM."""
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    with running_installation(**given) as settings:
        address = f"[{settings.host}]" if ":" in settings.host else settings.host
        bind = f"fd://{fd}" if fd is not None else f"{address}:{settings.port}"
        refuse_powerful_role(settings.database_url)
        refuse_lost_master_key(settings.database_url, settings.master_key)
        for name in ("app", "core.delivery.web_composition"):
            importlib.import_module(name)
        settle_collector()  # else each process's first collection would touch, and so copy, all that it shares with this one
        WebServer(settings, bind=bind, graceful_s=graceful_s).run()
