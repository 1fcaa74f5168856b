"""The garbage collector in processes that live long and make much."""

from __future__ import annotations

import gc

_NEW, _YOUNG, _OLD = 20_000, 20, 50


def settle_collector() -> None:
    """Call once when a process has been put together, before it forks or serves.

    What is there stays and is never looked through again, and the collector comes by after 20,000 new objects instead of 700. Reference
    counting frees nearly all of ours; a batch of 500 orders spent a third of its time on looking through imported modules.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW, _YOUNG, _OLD)
