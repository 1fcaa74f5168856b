"""Whether a shop's settings work: asked when they are tested, and every few minutes for the plugin's page."""

from __future__ import annotations

from core.sdk import Denied, Health, PluginContext, Unavailable
from plugins.jd.client import JdConnection


def check_connection(ctx: PluginContext) -> str:
    """Prove that the settings work; returns the shop's name.

    Raises: Denied - JD refuses the credentials; Unavailable - it cannot be asked now. Changes nothing there.
    """
    return JdConnection(ctx).check()


def health(ctx: PluginContext) -> Health:
    """How the shop's connection feels: refused credentials are `down`, what passes is `degraded`.

    Never waits: a call that fails is repeated at once, and a longer pause that the vendor asks for ends it.
    """
    try:
        return Health(message=JdConnection(ctx, pause=_at_once).check())
    except Denied as error:
        return Health("down", error.message)
    except Unavailable as error:
        return Health("degraded", error.message)


def _at_once(_seconds: float) -> None:
    """A page that asks how things are does not wait for better times."""
