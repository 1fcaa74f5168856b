"""Reaches past the SDK and into another plugin."""

from core.runtime.tenancy import scope
from plugins import toy_hello

PLUGIN = {"id": "toy_reaches_in", "version": "1.0.0"}
REACHED = (scope, toy_hello)
