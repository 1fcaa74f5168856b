"""Orderloom's core: the storeys every plugin stands on (docs/architecture/storeys.md)."""
