"""Secrets that a plugin keeps in tables of its own, sealed by the tenant's key and bound to plugin and purpose.

Secrets of the settings form need none of this: the host keeps them and hands them over in `ctx.secrets`.
"""

from __future__ import annotations

from core.runtime.plugin_host.context import PluginContext
from core.runtime.plugin_host.secrets import hint_of
from core.runtime.security import vault

__all__ = ["hint_of", "seal", "unseal"]


def seal(ctx: PluginContext, purpose: str, plaintext: str) -> bytes:
    """Encrypt a value; only the same plugin of the same tenant opens it again, for the same `purpose`. Needs a transaction."""
    return vault.seal(ctx.session, _bound(ctx, purpose), plaintext)


def unseal(ctx: PluginContext, purpose: str, sealed: bytes) -> str:
    """Open a sealed value. Raises SealBroken - changed, or sealed for another tenant, plugin or purpose."""
    return vault.unseal(ctx.session, _bound(ctx, purpose), sealed)


def _bound(ctx: PluginContext, purpose: str) -> str:
    return f"plugin:{ctx.plugin}:own:{purpose}"
