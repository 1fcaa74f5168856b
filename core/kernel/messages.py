"""Marking text for translation where there is no request: the English sentence is the message id, the edge translates it."""

from __future__ import annotations


def N_(message: str) -> str:  # noqa: N802 - the gettext convention for "mark only"
    """Mark `message` for the catalogues and return it unchanged."""
    return message
