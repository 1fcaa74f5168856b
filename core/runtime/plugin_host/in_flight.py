"""Work of a plugin that has begun and is not finished: what is counted before the plugin is switched off."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.runtime.events.models import FINISHED, Delivery
from core.runtime.plugin_host.host import PluginHost

_OVER = (*FINISHED, "dead")


def deliveries_of(host: PluginHost, session: Session, plugin: str) -> int:
    """Deliveries to the plugin's subscribers and timers that are neither finished nor given up, at the session's tenant.

    When its package is gone they are told by their names, which start with the plugin's id.
    """
    keys = {item.key for kind in ("subscribers", "schedules") for item in host.registry.of_plugin(plugin, kind)}
    is_its = Delivery.subscriber.in_(keys) if plugin in host.loaded else Delivery.subscriber.between(f"{plugin}.", f"{plugin}.~")
    return session.scalar(select(func.count()).select_from(Delivery).where(Delivery.state.not_in(_OVER), is_its)) or 0
