"""Keeps notes in a table of its own."""
