"""`oms plugin new`: a small plugin that works, has a form, a test button and tests, and passes the check."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from string import Template

from core.kernel.errors import Conflict, Invalid
from core.runtime.plugin_host.manifest import CORE_VERSION, ID_PATTERN, MAX_ID, RESERVED


class FolderTaken(Conflict):
    """There is something of that name already."""

    code = "plugin.folder_taken"


class NameInvalid(Invalid):
    """A plugin's name is made of lower-case words joined by underscores."""

    code = "plugin.name_invalid"


@dataclass(frozen=True, slots=True)
class Scaffold:
    """What was written: the plugin's folder and its files, in order."""

    folder: Path
    files: tuple[Path, ...]


def new_plugin(name: str, folder: Path, tests: Path) -> Scaffold:
    """Write a plugin into `folder/name` and its tests into `tests/name`. Raises NameInvalid; FolderTaken - nothing is written."""
    if not ID_PATTERN.fullmatch(name) or len(name) > MAX_ID or name in RESERVED:
        raise NameInvalid(field="name", name=name)
    if (folder / name).exists() or (tests / name).exists():
        raise FolderTaken(name=name)
    words = {"name": name, "title": name.replace("_", " ").capitalize(), "core": f">={CORE_VERSION},<1", "class_name": _class_name(name)}
    written: list[Path] = []
    for path, text in _FILES.items():
        target = tests / name / path.removeprefix("tests/") if path.startswith("tests/") else folder / name / path
        target = target.with_name(target.name.replace("NAME", name))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(Template(text.lstrip("\n")).substitute(words), encoding="utf-8")
        written.append(target)
    return Scaffold(folder / name, tuple(written))


def _class_name(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


_MANIFEST = """
id = "$name"
title = "$title"
summary = "Posts a line to an address of yours whenever an order is paid."
version = "0.1.0"
core = "$core"
category = "other"
egress_from_settings = ["address"]
settings = "settings:${class_name}Settings"
locales = ["en"]

[quality]
connection_tested = "done"
unique_instance = { exempt = "The host keeps one set of settings for a tenant." }
simulator = { exempt = "It speaks no protocol of a vendor yet; the tests stand in for the other side." }
removal_documented = "done"
two_tenant_tests = "done"
"""

_README = """
# $title

Posts a line to an address of yours whenever an order is paid.

**Set up.** Enter the address and the key that the other side expects, test the connection, activate, enable.

**Switched off**, it posts nothing; orders paid meanwhile are not posted later. **Purged**, its settings and its key are deleted; it keeps
no rows of its own.
"""

_INIT = '"""$title."""\n'

_PLUGIN = '''
"""What $title contributes."""

from __future__ import annotations

from core.sdk import Lifecycle, Subscriber, hookimpl
from plugins.$name import service


@hookimpl
def register_lifecycle() -> Lifecycle:
    """Settings are proved by a call to the other side before they are used."""
    return Lifecycle(check_connection=service.check)


@hookimpl
def register_subscribers() -> list[Subscriber]:
    """It hears of paid orders; the other side must bear to hear of one twice."""
    return [Subscriber(key="$name.orders", events=("order.paid",), send=service.tell, repeatable=True)]
'''

_SETTINGS = '''
"""What a tenant fills in."""

from __future__ import annotations

from marshmallow import Schema, fields

from core.sdk import N_, Secret


class ${class_name}Settings(Schema):
    """Where to post, and the key that the other side expects."""

    address = fields.Url(
        required=True, require_tld=False, metadata={"label": N_("Address"), "help": N_("Where the lines are posted, with https.")}
    )
    key = Secret(required=True, metadata={"label": N_("Key"), "help": N_("Sent along in the header X-Key.")})
'''

_SERVICE = '''
"""What $title does: one post for each paid order."""

from __future__ import annotations

from typing import Any

from core.sdk import CredentialsRefused, DeliveryContext, PluginContext, Unavailable, refuse_if_limited


def check(ctx: PluginContext) -> str:
    """Say hello to the other side; returns what it answers. Raises CredentialsRefused, Unavailable."""
    return _post(ctx, {"hello": ctx.tenant_slug})


def tell(ctx: DeliveryContext) -> None:
    """Post the order of the event. Raises CredentialsRefused, Unavailable."""
    _post(ctx, {"order": ctx.event.subject_id, "key": ctx.idempotency_key})


def _post(ctx: PluginContext, line: dict[str, Any]) -> str:
    answer = ctx.http.request("POST", ctx.config["address"], json=line, headers={"X-Key": ctx.secrets["key"]})
    refuse_if_limited(answer, ctx.clock.now())
    if answer.status in (401, 403):
        raise CredentialsRefused(status=answer.status)
    if answer.status >= 400:
        raise Unavailable(status=answer.status)
    return answer.text()[:200]
'''

_TEST = '''
"""$title against a stand-in for the other side."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from core.sdk import CredentialsRefused, FixedClock, HttpResponse, PluginContext
from plugins.$name import service


@dataclass
class OtherSide:
    """Answers with `status` and keeps what it was sent."""

    status: int = 200
    seen: list[tuple[str, dict, dict]] = field(default_factory=list)

    def request(self, _method, url, *, json=None, headers=None, **_options):
        self.seen.append((url, json, dict(headers)))
        return HttpResponse(self.status, {}, b"hello")


def context(other, tenant):
    return PluginContext(
        tenant_id=1,
        tenant_slug=tenant,
        plugin="$name",
        config={"address": f"https://example.com/{tenant}"},
        secrets={"key": f"key of {tenant}"},
        http=other,
        log=None,
        clock=FixedClock(datetime(2026, 1, 1, tzinfo=UTC)),
    )


@pytest.mark.parametrize("tenant", ["tea", "gift"])
def test_check_uses_the_tenants_own_settings_when_there_are_two(tenant):
    other = OtherSide()

    told = service.check(context(other, tenant))

    assert told == "hello"
    assert other.seen == [(f"https://example.com/{tenant}", {"hello": tenant}, {"X-Key": f"key of {tenant}"})]


def test_check_asks_for_new_credentials_when_refused():
    with pytest.raises(CredentialsRefused):
        service.check(context(OtherSide(status=401), "tea"))
'''

_FILES = {
    "plugin.toml": _MANIFEST,
    "README.md": _README,
    "__init__.py": _INIT,
    "plugin.py": _PLUGIN,
    "settings.py": _SETTINGS,
    "service.py": _SERVICE,
    "tests/test_NAME.py": _TEST,
}
