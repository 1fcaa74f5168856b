"""Eats memory."""

from core.sdk import hookimpl
from tests.toy_hooks import Rule

PLUGIN = {"id": "toy_hungry", "version": "1.0.0"}


@hookimpl
def register_rules():
    return [Rule("toy_hungry.eat", lambda _ctx, number: len(bytearray(number)))]
