"""Plugins shipped with Orderloom; each imports `core.sdk` and its own modules only."""
