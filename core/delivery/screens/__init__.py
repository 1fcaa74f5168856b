"""The pages of the domain: generated lists with what is special about orders, channels, plugins and jobs."""

from core.delivery.screens.register import register_all

__all__ = ["register_all"]
