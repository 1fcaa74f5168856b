"""The pages of notifications."""

from plugins.notify_inapp.views.pages import NotifyInappView

__all__ = ["NotifyInappView"]
