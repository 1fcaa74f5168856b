"""Choosing where the web server listens, and asking it whether it is ready."""

from __future__ import annotations

import errno
import http.client
import socket
from collections.abc import Callable

from core.delivery.cli.output import NeedsSetUp

TRIES = 20


class PortTaken(NeedsSetUp):
    """No port could be opened."""

    code = "cli.port_taken"


def listen(host: str, port: int, taken: Callable[[int], None]) -> socket.socket:
    """Open a listening socket on the first free port from `port` on; `taken` is told each one that is not.

    The socket can be handed to a child process; while the child restarts, connections wait in it instead of failing.
    Raises PortTaken when none of twenty is free, or the address is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in range(port, min(port + TRIES, 65536)):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, number))
            listener.listen(1024)
        except OSError as error:
            listener.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise PortTaken(f"Cannot listen on {host}: {error.strerror}.") from error
            taken(number)
            continue
        listener.set_inheritable(True)
        return listener
    raise PortTaken(f"No port from {port} to {port + TRIES - 1} is free on {host}. Choose another with --port.")


def is_ready(host: str, port: int, *, timeout_s: float = 1.0) -> bool:
    """Whether /readyz answers 200."""
    reach = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - an address to call, not to listen on
    connection = http.client.HTTPConnection(reach, port, timeout=timeout_s)
    try:
        connection.request("GET", "/readyz", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
