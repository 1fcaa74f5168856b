"""Raises everything, everywhere."""

from core.sdk import Conflict, hookimpl
from tests.toy_hooks import Panel, Rule

PLUGIN = {"id": "toy_raises", "version": "1.0.0"}


class Rude(BaseException):
    """Not even an Exception."""


def _raise(error):
    def call(ctx, *_args):
        raise error

    return call


@hookimpl
def register_panels():
    return [Panel("toy_raises.key_error", _raise(KeyError("13800138000")))]


@hookimpl
def register_rules():
    return [
        Rule("toy_raises.key_error", _raise(KeyError("13800138000"))),
        Rule("toy_raises.exit", _raise(SystemExit(3))),
        Rule("toy_raises.rude", _raise(Rude())),
        Rule("toy_raises.refusal", _raise(Conflict("The day is over.", day="Friday"))),
    ]
