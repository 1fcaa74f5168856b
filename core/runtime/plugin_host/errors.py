"""What can go wrong around plugins.

    Invalid
    ├── ManifestInvalid      plugin.toml says something impossible
    ├── ConfigInvalid        settings do not fit the plugin's schema; `errors` by field
    └── InstanceNameInvalid  a set-up cannot be called that
    NotFound
    ├── PluginUnknown        no such plugin in this installation
    ├── InstanceUnknown      the tenant has no such instance of the plugin
    └── VersionUnknown       no such version of the configuration
    Denied
    ├── HostNotAllowed       the address is outside the plugin's allow-list
    ├── CredentialsRefused   the remote side refused our credentials; a person has to sign in again
    ├── EffectInDryRun       a dry run tried to reach the outside
    └── TransactionGuarded   a plugin tried to end, leave or widen its transaction
    Conflict
    ├── PluginNotUsable      the package is missing, broken or blocked
    ├── RequirementMissing   another plugin has to be enabled first
    ├── StillRequired        another enabled plugin needs this one
    ├── PluginMandatory      the platform does not let tenants switch it off
    ├── StateForbids         the instance's state does not allow this step
    ├── PreflightBlocked     the plugin itself objects
    └── RegistrySealed       contributions are taken at start-up only
    Unavailable
    ├── CannotConnect        surely nothing was sent
    ├── AnswerLost           (of core.runtime.events) the request may have taken effect
    ├── RateLimited          (of core.runtime.events) the remote side, or our own quota, asks to wait
    ├── BreakerOpen          (of core.runtime.events) too many calls to the host failed of late
    ├── PluginSlow           the plugin did not answer in time
    └── PluginTripped        too many calls of the plugin failed or took too long of late

`PluginFailed` stands outside the kinds: a defect of the plugin, which no wait and no input cures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.kernel.errors import Conflict, Denied, Invalid, NotFound, OrderloomError, Unavailable
from core.kernel.messages import N_
from core.runtime.events.errors import AnswerLost, BreakerOpen, RateLimited

__all__ = [
    "AnswerLost",
    "BreakerOpen",
    "CannotConnect",
    "ConfigInvalid",
    "CredentialsRefused",
    "EffectInDryRun",
    "HostNotAllowed",
    "InstanceNameInvalid",
    "InstanceUnknown",
    "ManifestInvalid",
    "PluginFailed",
    "PluginMandatory",
    "PluginNotUsable",
    "PluginSlow",
    "PluginTripped",
    "PluginUnknown",
    "PreflightBlocked",
    "RateLimited",
    "RegistrySealed",
    "RequirementMissing",
    "StateForbids",
    "StillRequired",
    "TransactionGuarded",
    "VersionUnknown",
]


class ManifestInvalid(Invalid):
    """The manifest is not valid."""

    code = "plugin.manifest_invalid"

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems), problems=list(problems))


class ConfigInvalid(Invalid):
    """The settings are not valid."""

    code = "plugin.config_invalid"

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        super().__init__("; ".join(f"{name}: {' '.join(texts)}" for name, texts in errors.items()), errors=dict(errors))


class InstanceNameInvalid(Invalid):
    """A set-up's name has lower-case letters, digits and hyphens, at most 40."""

    code = "plugin.instance_name_invalid"


class PluginUnknown(NotFound):
    """There is no such plugin in this installation."""

    code = "plugin.unknown"


class InstanceUnknown(NotFound):
    """The plugin is not set up here under that name."""

    code = "plugin.instance_unknown"


class VersionUnknown(NotFound):
    """There is no such version of the configuration."""

    code = "plugin.version_unknown"


class HostNotAllowed(Denied):
    """The plugin may not talk to this address."""

    code = "plugin.host_not_allowed"


class CredentialsRefused(Denied):
    """The remote side refused our credentials; someone has to sign in again."""

    code = "plugin.credentials_refused"
    park = True


class EffectInDryRun(Denied):
    """A dry run does not reach the outside."""

    code = "plugin.effect_in_dry_run"


class TransactionGuarded(Denied):
    """A plugin works inside the transaction it is given and never ends, leaves or widens it."""

    code = "plugin.transaction_guarded"


class PluginNotUsable(Conflict):
    """The plugin's package is missing, broken or blocked."""

    code = "plugin.not_usable"


class RequirementMissing(Conflict):
    """Another plugin has to be enabled first."""

    code = "plugin.requirement_missing"


class StillRequired(Conflict):
    """Another enabled plugin needs this one."""

    code = "plugin.still_required"


class PluginMandatory(Conflict):
    """This plugin cannot be switched off."""

    code = "plugin.mandatory"


class StateForbids(Conflict):
    """The plugin's present state does not allow this.

    `reason` is state (the set-up is in another state than the step needs), paused, not_configured, no_settings or untested.
    """

    code = "plugin.state_forbids"
    _MESSAGES = {
        "paused": N_("The plugin is paused; resume it instead."),
        "not_configured": N_("Fill in the plugin's settings and activate them first."),
        "no_settings": N_("There are no settings."),
        "untested": N_("Test the connection with these settings first."),
        "state": N_("The plugin's present state does not allow this."),
    }

    def __init__(self, reason: str, **facts: object) -> None:
        super().__init__(self._MESSAGES[reason], reason=reason, **facts)


class PreflightBlocked(Conflict):
    """The plugin objects to this step."""

    code = "plugin.preflight_blocked"


class RegistrySealed(Conflict):
    """Contributions are taken at start-up only."""

    code = "plugin.registry_sealed"


class CannotConnect(Unavailable):
    """The remote side could not be reached; nothing was sent."""

    code = "plugin.cannot_connect"


class PluginSlow(Unavailable):
    """The plugin did not answer in time."""

    code = "plugin.slow"


class PluginBusy(Unavailable):
    """Too many pages of this plugin are being made already. Try again in a moment."""

    code = "plugin.busy"
    retry_after_s = 5.0


class Overrun(BaseException):
    """Raised inside a plugin's page that takes too long. No Exception, so that a plugin's `except Exception` does not swallow it."""


class PluginTripped(Unavailable):
    """The plugin rests for a while, because it failed or took too long too often."""

    code = "plugin.tripped"
    counts_attempt = False


class PluginFailed(OrderloomError):
    """The plugin failed."""

    code = "plugin.failed"
