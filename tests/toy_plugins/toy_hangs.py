"""Never comes back, and swallows every attempt to make it."""

import threading

from core.sdk import hookimpl
from tests.toy_hooks import Panel

PLUGIN = {"id": "toy_hangs", "version": "1.0.0"}

let_go = threading.Event()


def _hang(ctx):
    while not let_go.is_set():
        try:
            let_go.wait(0.05)
        except Exception:  # containment: the toy is meant to be stubborn
            continue
    return "late"


@hookimpl
def register_panels():
    return [Panel("toy_hangs.forever", _hang), Panel("toy_hangs.well", lambda _ctx: "well")]
