"""Engines: generic machinery that knows subjects (entity type and id) and carries no word of the trade."""
