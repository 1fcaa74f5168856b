"""The two markers of the plugin system: `hookspec` declares a hook, `hookimpl` fills it in."""

from __future__ import annotations

import pluggy

PROJECT = "orderloom"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
