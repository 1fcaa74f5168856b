"""Orderloom's core: the storeys every plugin stands on (docs/architecture/storeys.md)."""

__version__ = "0.1.0"
