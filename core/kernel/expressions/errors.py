"""What can be wrong with a formula.

    Invalid
    ├── ExpressionInvalid    it cannot be compiled; `position` is the place, counted from 0
    └── ExpressionFailed     it is fine, but these values cannot be calculated with
"""

from __future__ import annotations

from core.kernel.errors import Invalid


class ExpressionInvalid(Invalid):
    """This formula cannot be used."""

    code = "expression.invalid"

    def __init__(self, message: str, *, position: int | None = None) -> None:
        super().__init__(message, position=position)


class ExpressionFailed(Invalid):
    """This formula has no result for these values."""

    code = "expression.failed"
