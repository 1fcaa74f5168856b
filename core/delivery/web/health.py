"""For machines that watch: is the process alive, can orders flow, and how much of everything there was."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Flask, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from core.delivery.web.marks import asset
from core.kernel.jsontext import encode_json
from core.runtime.jobs.queue import connect
from core.runtime.tenancy.database import Database

Pending = Callable[[], list[str]]


def init_health(app: Flask, database: Database, *, queue_url: str, pending: Pending) -> None:
    """Add `/healthz`, `/readyz` and `/metrics`. `pending()` names revisions that the schema lacks; its answer is kept once it is empty."""
    blueprint = Blueprint("health", __name__)
    current = {"is_current": False}

    @blueprint.get("/healthz")
    @asset
    def healthz() -> Response:
        return Response("ok", mimetype="text/plain")

    @blueprint.get("/readyz")
    @asset
    def readyz() -> Response:
        checks = {"database": _database(database), "queue": _queue(queue_url), "schema": _schema(current, pending)}
        is_ready = all(answer == "ok" for answer in checks.values())
        return Response(encode_json(checks), status=200 if is_ready else 503, mimetype="application/json")

    @blueprint.get("/metrics")
    @asset
    def metrics() -> Response:
        return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)

    app.register_blueprint(blueprint)


def _database(database: Database) -> str:
    try:
        with database.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return "unreachable"
    return "ok"


def _queue(url: str) -> str:
    if not url:
        return "ok"
    try:
        client = connect(url)
        client.ping()
        client.close()
    except (RedisError, OSError):
        return "unreachable"
    return "ok"


def _schema(current: dict[str, bool], pending: Pending) -> str:
    if not current["is_current"]:
        try:
            current["is_current"] = not pending()
        except SQLAlchemyError:
            return "unreachable"
    return "ok" if current["is_current"] else "behind"



