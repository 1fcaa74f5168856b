"""What notifications in the application contribute."""

from __future__ import annotations

from datetime import time

from core.sdk import Bell, PluginContext, Schedule, Subscriber, ViewSpec, hookimpl
from plugins.notify_inapp import jobs, subscribers
from plugins.notify_inapp.kinds import HEARD
from plugins.notify_inapp.queries import unread_count


@hookimpl
def register_subscribers() -> list[Subscriber]:
    """One hearer for everything that people are told."""
    return [Subscriber(key="notify_inapp.hear", events=HEARD, handle=subscribers.hear, batch=100, on_dead="skip")]


@hookimpl
def register_schedules() -> list[Schedule]:
    """Tidying up at night."""
    return [Schedule(key="notify_inapp.tidy", at=time(3, 50), jitter_s=1800, handle=jobs.tidy)]


@hookimpl
def register_views() -> list[ViewSpec]:
    """The page, the menu under the bell, and what each person wants to be told."""

    def load() -> type:
        from plugins.notify_inapp.views import NotifyInappView  # slow import

        return NotifyInappView

    return [ViewSpec("notify_inapp.pages", load)]


@hookimpl
def register_bell() -> Bell:
    """The bell in the frame of every page."""

    def unread(ctx: PluginContext, user_id: int) -> int:
        return unread_count(ctx.session, user_id)

    return Bell("notify_inapp.bell", unread, "NotifyInappView.menu", "NotifyInappView.list")
