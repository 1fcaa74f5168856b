"""A simulated shop behind its gateway, started and stopped."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from core.sdk import Clock
from plugins.taobao.simulator.faults import Faults
from plugins.taobao.simulator.gateway import SimGateway
from plugins.taobao.simulator.protocol import Credentials
from plugins.taobao.simulator.server import PATH, GatewayServer
from plugins.taobao.simulator.shop import Shop


class Simulator:
    """One simulated shop behind a gateway on the loopback interface, ready to start.

    `shop`, `gateway` and `faults` are there to steer it and to look at what clients did. As a context manager it answers in a
    thread of its own and stops at the end.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        orders: int = 0,
        seed: int = 1,
        port: int = 0,
        faults: Mapping[str, float | None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.shop = Shop(app_key=credentials.app_key, orders=orders, seed=seed, clock=clock)
        self.faults = Faults(faults, seed=seed)
        self.gateway = SimGateway(self.shop, credentials, faults=self.faults)
        self._server = GatewayServer(port, self.gateway)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        """The gateway's address for clients."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{PATH}"

    def start(self, *, live: float = 0.0) -> None:
        """Answer requests in a thread; `live` new orders a second come in, and some of the old ones change."""
        work = [threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)]
        if live > 0:
            work.append(threading.Thread(target=self._live, args=(live,), daemon=True))
        for thread in work:
            thread.start()
        self._threads = work

    def close(self) -> None:
        """Stop answering and free the port; harmless when it is closed already."""
        self._stopping.set()
        if self._threads:
            self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join(timeout=5)
        self._threads = []

    def __enter__(self) -> Simulator:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _live(self, rate: float) -> None:
        while not self._stopping.wait(1 / rate):
            self.shop.live_step()
