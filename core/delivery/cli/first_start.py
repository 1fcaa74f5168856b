"""What `oms up` has already done on a data folder, so that the next start can leave it out.

Only for the embedded database, which nobody else changes: the schema, the administrator and the demo are made again when the files that
make them have changed. No password is kept here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from config.schema import ROOT
from core.runtime.db.embedded_home import write_private

# Everything that decides what migrations, the administrator's account and the demo look like.
_MAKERS = (
    "core/runtime/db/migrations/**/*.py",
    "core/delivery/cli/user.py",
    "core/delivery/cli/demo.py",
    "plugins/*/migrations/**/*.py",
    "plugins/*/plugin.toml",
    "plugins/demo_data/**/*.py",
    "plugins.toml",
)


def fingerprint(root: Path = ROOT, *, demo: bool) -> str:
    """Changes with the files that make schema, administrator and demo, and with whether a demo is wanted."""
    digest = hashlib.sha256(b"demo" if demo else b"plain")
    for path in sorted({path for pattern in _MAKERS for path in root.glob(pattern)}):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def recall(data_dir: Path, wanted: str) -> dict[str, Any] | None:
    """What was noted when a start with this fingerprint was finished, or None."""
    try:
        note: dict[str, Any] = json.loads((data_dir / "first-start.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return note if note.get("fingerprint") == wanted else None


def remember(data_dir: Path, wanted: str, *, logins: Iterable[dict[str, Any]], programs: list[dict[str, Any]]) -> None:
    """Note that this start is finished: whose accounts there are, and what the demo runs beside the site."""
    names = [{"login": login["login"]} for login in logins]
    note = {"fingerprint": wanted, "logins": names, "programs": programs}
    write_private(data_dir / "first-start.json", json.dumps(note, indent=1), None)
