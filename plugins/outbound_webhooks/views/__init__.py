"""The pages of webhooks."""

from plugins.outbound_webhooks.views.pages import OutboundWebhooksView

__all__ = ["OutboundWebhooksView"]
