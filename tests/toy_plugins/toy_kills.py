"""Ends the process that runs it, in every way there is."""

import ctypes
import os
import signal

from core.sdk import Subscriber, hookimpl

PLUGIN = {"id": "toy_kills", "version": "1.0.0"}


def _exit(ctx, events):
    os._exit(0)


def _kill(ctx, events):
    os.kill(os.getpid(), signal.SIGKILL)


def _segfault(ctx, events):
    ctypes.string_at(0)


def _send(ctx):
    os._exit(1)


def _harmless(ctx, events):
    return None


@hookimpl
def register_subscribers():
    ways = {"exit": _exit, "kill": _kill, "segfault": _segfault, "harmless": _harmless}
    local = [Subscriber(key=f"toy_kills.{way}", events=(f"kill.{way}",), handle=handle) for way, handle in ways.items()]
    remote = Subscriber(key="toy_kills.send", events=("kill.send",), send=_send, repeatable=True)
    return [*local, remote]
