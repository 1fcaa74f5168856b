"""Log lines of all processes: one format for ours, the libraries' and gunicorn's, to standard error."""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import structlog

# Libraries that tell more at INFO than an operator wants to read.
_QUIET = ("alembic", "httpx", "rq", "urllib3")


def configure_logging(level: str, form: str, *, stream: TextIO | None = None) -> None:
    """Log from `level` on, as `text` for people or `json` for collectors. The last call counts.

    What is bound with structlog's context variables (tenant, request, trace) is on every line, also on those of libraries.
    """
    stream = stream or sys.stderr
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Values of local variables stay out of tracebacks: they hold secrets and buyers' data.
    traces = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))
    last: list[Any] = (
        [traces, structlog.processors.JSONRenderer(ensure_ascii=False)]
        if form == "json"
        else [structlog.dev.ConsoleRenderer(colors=stream.isatty(), pad_event_to=0, exception_formatter=structlog.dev.plain_traceback)]
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    logging.captureWarnings(capture=True)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    # It warns of every column that it makes no filter for; ours do not come from it.
    logging.getLogger("flask_appbuilder").setLevel(logging.ERROR)
