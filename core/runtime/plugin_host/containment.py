"""Running a piece of plugin code so that nothing it raises gets past."""

from __future__ import annotations

from collections.abc import Callable
from traceback import extract_tb
from typing import Any, Generic, NamedTuple, TypeVar

T = TypeVar("T")

# What the process itself uses to stop; a plugin is never the one to decide about it.
LET_THROUGH: tuple[type[BaseException], ...] = (KeyboardInterrupt,)


class Attempt(NamedTuple, Generic[T]):
    """How it went: `error` is None on success, else `value` is None."""

    value: T | None
    error: BaseException | None


def attempt(function: Callable[..., T], *args: Any, let_through: tuple[type[BaseException], ...] = LET_THROUGH) -> Attempt[T]:
    """Call `function`; whatever it raises comes back as a value, `SystemExit` and its like included.

    Only `let_through` passes: the exceptions by which the process itself is told to stop.
    """
    try:
        return Attempt(function(*args), None)
    except let_through:
        raise
    except BaseException as error:  # noqa: BLE001 - containment: code that is not ours must not end the process
        return Attempt(None, error)


def told(error: BaseException) -> str:
    """An exception in one line for operators: its type, its text, and the place it came from. For start-up, where no data flows."""
    text = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {text} ({_place_of(error)})"


def placed(error: BaseException) -> str:
    """An exception's type and the place it came from, without its text, which may hold what the call was about."""
    return f"{type(error).__name__} ({_place_of(error)})"


def frames(error: BaseException, most: int = 8) -> list[str]:
    """The innermost places that an exception came through, outermost first, as `file:line in function`."""
    return [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} in {frame.name}" for frame in extract_tb(error.__traceback__)[-most:]]


def _place_of(error: BaseException) -> str:
    trace, place = error.__traceback__, "unknown place"
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
