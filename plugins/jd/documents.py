"""Finding orders and refunds inside whatever answer, page, list or bare object they come in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from plugins.jd.answers import ERROR_ROOT, decoded, is_root, raise_for_failure
from plugins.jd.errors import AnswerUnreadable, PayloadInvalid
from plugins.jd.fields import Fields, snake, unfolded

_MAX_DEPTH = 12
_RESULT = re.compile(r"(result|info|infos|list|search|orders?|page|model|data|response|responce)$", re.IGNORECASE)


def opened(payload: Any) -> Any:
    """The JSON value of `payload`, which may be JSON text or bytes. Raises: PayloadInvalid - text that is no JSON."""
    if not isinstance(payload, str | bytes | bytearray):
        return payload
    try:
        return decoded(payload)
    except AnswerUnreadable as error:
        raise PayloadInvalid("This is not JSON.", field="$") from error


def _is_result(name: Any, value: Any) -> bool:
    return isinstance(name, str) and _RESULT.search(name) is not None and isinstance(unfolded(value), Mapping | list)


def found_in(payload: Any, *, marks: tuple[str, ...], containers: frozenset[str]) -> list[Fields]:
    """The objects in `payload` that carry one of the keys `marks`, in order, each with its path.

    Walks through method roots, `containers` (either spelling) and lists only, so an order inside another thing is not mistaken for one.
    Raises: PayloadInvalid - no object, list or known container; the error that a failed answer stands for.
    """
    known = containers | {snake(name) for name in containers}
    names = frozenset(marks) | {snake(name) for name in marks}
    found: list[Fields] = []

    def walk(node: Any, path: str, depth: int) -> None:
        node = unfolded(node)
        if depth > _MAX_DEPTH:
            raise PayloadInvalid("This is nested too deeply.", field=path)
        if isinstance(node, list | tuple):
            for position, entry in enumerate(node):
                walk(entry, f"{path}[{position}]", depth + 1)
        elif not isinstance(node, Mapping):
            raise PayloadInvalid("An object or a list is needed here.", field=path or "$")
        elif ERROR_ROOT not in node and any(node.get(name) is not None for name in names):
            found.append(Fields(node, path))
        else:
            step(node, path, depth)

    def step(node: Mapping[str, Any], path: str, depth: int) -> None:
        raise_for_failure(node, path)
        inner = [name for name in node if name in known or is_root(name)]
        # Services beside the documented ones name their results their own way.
        inner = inner or [name for name, value in node.items() if path and name != "apiResult" and _is_result(name, value)]
        # An empty result may leave its list out; then only its figures or its verdict are there.
        if not inner and not any(name in node for name in ("apiResult", "success", "code", "orderTotal", "order_total", "totalCount")):
            raise PayloadInvalid("Nothing known is found here.", field=path or "$")
        for name in inner:
            if node[name] is not None and node[name] != "":
                walk(node[name], f"{path}.{name}" if path else str(name), depth + 1)

    walk(opened(payload), "", 0)
    return found
