"""Refusals that are given before Flask is asked: a Problem Details document for programs, next to nothing for browsers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from core.kernel.jsontext import encode_json

_API = re.compile(r"(?:/t/[^/]*)?/api/")


def refuse(
    environ: dict[str, Any],
    start_response: Callable[..., Any],
    *,
    status: str,
    code: str,
    title: str,
    headers: Iterable[tuple[str, str]] = (),
) -> list[bytes]:
    """Answer with `status` (`405 Method Not Allowed`); `code` and `title` go to programs only."""
    body, kind = b"", ""
    if _API.match(environ.get("PATH_INFO", "")):
        number = int(status.partition(" ")[0])
        body = encode_json({"type": f"urn:orderloom:error:{code}", "title": title, "status": number, "code": code, "trace": ""}).encode()
        kind = "application/problem+json"
    about = [("Content-Type", kind)] if kind else []
    start_response(status, [*about, ("Content-Length", str(len(body))), *headers])
    return [body] if body else []
