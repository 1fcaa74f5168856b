"""A tenant's configuration as data: items of registered kinds, changed together, every change a version with a diff and a way back."""

from core.engines.configuration.changes import Change, ChangeSet, Draft, Item, ItemKey
from core.engines.configuration.errors import ConfigRefused, ConfigStale, KindUnknown, VersionUnknown
from core.engines.configuration.kinds import Impact, Kind, KindRegistry, Problem
from core.engines.configuration.service import apply_changes, propose, roll_back, undo

__all__ = [
    "Change",
    "ChangeSet",
    "ConfigRefused",
    "ConfigStale",
    "Draft",
    "Impact",
    "Item",
    "ItemKey",
    "Kind",
    "KindRegistry",
    "KindUnknown",
    "Problem",
    "VersionUnknown",
    "apply_changes",
    "propose",
    "roll_back",
    "undo",
]
