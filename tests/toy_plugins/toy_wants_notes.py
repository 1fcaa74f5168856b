"""Works only together with notes."""

from core.sdk import hookimpl
from tests.toy_hooks import Rule

PLUGIN = {"id": "toy_wants_notes", "version": "1.0.0", "requires": ["toy_notes"]}


@hookimpl
def register_rules():
    return [Rule("toy_wants_notes.double", lambda _ctx, number: number * 2)]
