"""Log lines of ours and of libraries."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog

from core.delivery.logs import configure_logging


@pytest.fixture
def out():
    """Where the lines go; what was set up before the test comes back after it."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers, root.level
    yield io.StringIO()
    root.handlers, root.level = handlers, level
    structlog.configure(**before)
    structlog.contextvars.clear_contextvars()
    logging.captureWarnings(capture=False)


def test_lines_of_ours_and_of_libraries_are_json_when_collectors_read_them(out):
    configure_logging("info", "json", stream=out)
    structlog.contextvars.bind_contextvars(tenant="tea")

    structlog.get_logger("ours").info("order.accepted", number="T1", note="茶")
    logging.getLogger("theirs").warning("slow %s", "disk", extra={"disk": "sda"})

    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert (first["event"], first["number"], first["note"], first["tenant"], first["level"]) == (
        "order.accepted",
        "T1",
        "茶",
        "tea",
        "info",
    )
    assert (second["event"], second["disk"], second["tenant"], second["logger"]) == ("slow disk", "sda", "tea", "theirs")
    assert first["timestamp"].endswith("Z")


def test_line_is_plain_when_people_read_it(out):
    configure_logging("info", "text", stream=out)

    structlog.get_logger("ours").info("order.accepted", number="T1")

    assert out.getvalue().partition(" ")[2] == "[info     ] order.accepted [ours] number=T1\n"


@pytest.mark.parametrize(("level", "expected"), [("warning", ["b"]), ("info", ["a", "b"])])
def test_lines_below_the_level_are_left_out_when_it_is_set(out, level, expected):
    configure_logging(level, "json", stream=out)

    structlog.get_logger("ours").info("a")
    structlog.get_logger("ours").warning("b")
    logging.getLogger("alembic.runtime").info("c")

    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == expected


@pytest.mark.parametrize("form", ["text", "json"])
def test_traceback_shows_no_values_when_an_error_is_logged(out, form):
    configure_logging("info", form, stream=out)
    password = "hunter" + "2"
    try:
        int("broken", base=len(password))
    except ValueError:
        logging.getLogger("theirs").exception("failed")

    assert "ValueError" in out.getvalue()
    assert password not in out.getvalue()
