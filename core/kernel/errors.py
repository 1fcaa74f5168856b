"""The five kinds of error; the kind alone decides the HTTP status and whether a job retries.

OrderloomError
├── Invalid        422  the input is wrong; `field` names the place
├── NotFound       404  the thing does not exist, or not for this tenant
├── Denied         403  credentials or permissions do not allow it
├── Conflict       409  the state of the thing does not allow it now
└── Unavailable    503  something needed is down or busy; the only kind that retries
"""

from __future__ import annotations

from typing import Any


class OrderloomError(Exception):
    """Base of all errors that Orderloom raises on purpose.

    `code` is stable and dotted (`inventory.stock_short`); `facts` are plain values that may be shown to the user and
    never hold secrets or personal data. The message is translated at the edge from the code and the facts.
    """

    code = "error"
    status = 500
    retryable = False

    def __init__(self, message: str = "", **facts: Any) -> None:
        self.facts = facts
        self.message = message or (self.__doc__ or self.code).strip().split("\n", 1)[0]
        super().__init__(self.message)
        for name, value in facts.items():
            setattr(self, name, value)


class Invalid(OrderloomError):
    """The input is not valid."""

    code = "invalid"
    status = 422

    def __init__(self, message: str = "", *, field: str | None = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.field = field


class NotFound(OrderloomError):
    """There is no such thing here."""

    code = "not_found"
    status = 404


class Denied(OrderloomError):
    """This is not allowed."""

    code = "denied"
    status = 403


class Conflict(OrderloomError):
    """The present state does not allow this."""

    code = "conflict"
    status = 409


class Unavailable(OrderloomError):
    """Something that is needed cannot be reached now; trying later may help.

    `retry_after_s` is the wait in seconds that the other side asked for, if it did.
    """

    code = "unavailable"
    status = 503
    retryable = True

    def __init__(self, message: str = "", *, retry_after_s: float | None = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.retry_after_s = retry_after_s
