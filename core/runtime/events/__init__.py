"""Events and their deliveries: written with the business change, carried out once, by workers, in order."""

from __future__ import annotations

from core.runtime.events.outbox import EventDraft, emit
from core.runtime.events.subscribers import (
    Answer,
    Gate,
    Mode,
    Subscriber,
    SubscriberRegistry,
    gate_from,
    install_registry,
    installed_registry,
)

__all__ = [
    "Answer",
    "EventDraft",
    "Gate",
    "Mode",
    "Subscriber",
    "SubscriberRegistry",
    "emit",
    "gate_from",
    "install_registry",
    "installed_registry",
]
