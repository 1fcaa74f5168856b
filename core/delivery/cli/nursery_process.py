"""The nursery's own process: imports the application, then forks a program for each request (see `nursery`)."""

from __future__ import annotations

import ctypes
import fcntl
import gc
import importlib
import json
import os
import signal
import socket
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from core.delivery.cli.nursery import GO, LARGEST_REQUEST
from core.delivery.cli.program import MAIN
from core.runtime.db.embedded_process import die_with_parent

# What every program needs, imported before anybody asks.
_FIRST = (MAIN, "core.delivery.cli.relay", "core.delivery.cli.worker", "app")
_MOST_FILES = 16
_OUT_OF_THE_WAY = 200


def main(supervisor: int, requests: socket.socket) -> None:
    """Serve requests until the supervisor hangs up. Opens nothing and starts no thread: everything here is inherited."""
    gc.disable()  # nothing of what is imported is garbage, and looking for some takes a fifth of the time
    _load(_FIRST)
    while True:
        data, files, _flags, _address = socket.recv_fds(requests, LARGEST_REQUEST, _MOST_FILES)
        if not data:
            return
        request = json.loads(data)
        _load(request["preload"])
        pid = _bear(requests)
        if pid == 0:
            live(request, files, supervisor)
        for file in files:
            os.close(file)
        requests.send(str(pid).encode())


def _load(modules: Iterable[str]) -> None:
    for name in modules:
        importlib.import_module(name)
    gc.freeze()


def _bear(requests: socket.socket) -> int:
    """Fork twice and let the one between go, so that the supervisor inherits the child. Returns the child's id, or 0 in the child."""
    reader, writer = os.pipe()
    between = os.fork()
    if between == 0:
        child = os.fork()
        if child == 0:
            for end in (reader, writer, requests.detach()):
                os.close(end)
            return 0
        os.write(writer, str(child).encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(between, 0)
    with os.fdopen(reader, "rb") as heard:
        return int(heard.read())


def live(request: dict[str, Any], files: Sequence[int], supervisor: int) -> None:
    """Be the program of the request. Does not return."""
    os.setsid()
    _place(files, [0, 1, *request["inherit"]])
    os.dup2(1, 2)
    if os.read(0, 1) != GO:
        os._exit(1)
    die_with_parent(signal.SIGTERM, parent=supervisor)()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.environ.clear()
    os.environ.update(request["env"])
    command = request["command"]
    show_command(command)
    words = command[command.index(MAIN) + 1 :]
    sys.argv = [MAIN, *words]
    gc.enable()
    sys.exit(importlib.import_module(MAIN).run(words))


def _place(files: Sequence[int], numbers: Sequence[int]) -> None:
    """Give the open files these numbers, whatever stands there now."""
    moved = [fcntl.fcntl(file, fcntl.F_DUPFD, _OUT_OF_THE_WAY) for file in files]
    for file in files:
        os.close(file)
    for file, number in zip(moved, numbers, strict=True):
        os.dup2(file, number)
        os.close(file)


def show_command(command: Sequence[str]) -> None:
    """Let the list of processes show `command` instead of the nursery's. Source: proc(5), fields 48 and 49 of /proc/pid/stat."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[45]), int(fields[46])
    text = b"".join(os.fsencode(word) + b"\0" for word in command)
    if 0 < start < end and len(text) < end - start:
        ctypes.memmove(start, text.ljust(end - start, b"\0"), end - start)


if __name__ == "__main__":
    main(int(sys.argv[2]), socket.socket(fileno=int(sys.argv[1])))
