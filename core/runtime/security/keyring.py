"""The keys of the vault: a master key outside the database wraps one key ring per tenant.

    master key (environment or file; has an id)
      └── tenant.data_key        key ring, sealed by one master key, bound to the tenant
            ├── blind key        for look-up by equality; stays the same for the tenant's life
            └── data keys 1 … n  the newest seals, all of them unseal

Rotation never breaks a reader: a process that meets a data key it has not seen reads the ring again. The algorithm is AES-256-GCM with
random 96-bit nonces (NIST SP 800-38D, section 8.2.2: at most 2**32 values for one data key).
"""

from __future__ import annotations

import base64
import binascii
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import event, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, SessionTransaction, mapped_column

from core.kernel.errors import OrderloomError
from core.runtime.db.base import Base, Timestamped
from core.runtime.db.bulk import tenant_of
from core.runtime.tenancy.models import Tenant
from core.runtime.tenancy.session import TenantSession

KEY_BYTES = 32
NONCE_BYTES = 12
FORMAT = 1
_RING = "vault_ring"
_CANARY = b"orderloom canary"


class VaultMissing(OrderloomError):
    """This process has no vault: no master key is configured."""

    code = "security.vault_missing"


class MasterKeyInvalid(OrderloomError):
    """A master key is not 32 bytes in base64 with an id before it."""

    code = "security.master_key_invalid"


class MasterKeyLost(OrderloomError):
    """Stored secrets are locked by a master key that is not configured."""

    code = "security.master_key_lost"


class MasterKeyChanged(OrderloomError):
    """A master key has the id of an earlier one but another value."""

    code = "security.master_key_changed"


class SealBroken(OrderloomError):
    """A sealed value does not open: it was changed, or it belongs to another tenant or purpose."""

    code = "security.seal_broken"


class MasterKeyCanary(Base, Timestamped):
    """A known text sealed by each master key that was ever in use, so that a changed key is noticed at start-up."""

    __tablename__ = "vault_canary"
    __app_grant__ = "SELECT, INSERT"

    key_id: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]


@dataclass(frozen=True)
class KeyRing:
    """One tenant's opened keys; `ciphers` maps the number of a data key to its cipher, `newest` seals."""

    blind: bytes
    keys: Mapping[int, bytes]
    ciphers: Mapping[int, AESGCM]
    newest: int


def _ring(blind: bytes, keys: Mapping[int, bytes]) -> KeyRing:
    return KeyRing(blind, dict(keys), {number: AESGCM(key) for number, key in keys.items()}, max(keys))


def _fresh_ring() -> KeyRing:
    return _ring(os.urandom(KEY_BYTES), {1: os.urandom(KEY_BYTES)})


def _encode_ring(ring: KeyRing) -> bytes:
    return ring.blind + b"".join(struct.pack(">I", number) + key for number, key in sorted(ring.keys.items()))


def _decode_ring(plain: bytes) -> KeyRing:
    step = 4 + KEY_BYTES
    pieces = [plain[at : at + step] for at in range(KEY_BYTES, len(plain), step)]
    return _ring(plain[:KEY_BYTES], {struct.unpack(">I", piece[:4])[0]: piece[4:] for piece in pieces})


def bound_to(tenant_id: int, purpose: str) -> bytes:
    return f"{tenant_id}:{purpose}".encode()


class Vault:
    """Seals and opens with the given master keys; holds opened key rings in memory. Safe for threads.

    `master_keys` maps ids to 32 bytes; the first one wraps, the others only open what they wrapped earlier.
    """

    def __init__(self, master_keys: Mapping[str, bytes]) -> None:
        if not master_keys:
            raise VaultMissing
        for key_id, key in master_keys.items():
            if len(key) != KEY_BYTES or not 0 < len(key_id.encode()) < 256:
                raise MasterKeyInvalid(key_id=key_id)
        self.current = next(iter(master_keys))
        self._masters = {key_id: AESGCM(key) for key_id, key in master_keys.items()}
        self._rings: dict[int, KeyRing] = {}

    @classmethod
    def from_text(cls, text: str) -> Vault:
        """A vault for `id:base64` pairs separated by commas or white space, the current key first. Raises MasterKeyInvalid."""
        keys: dict[str, bytes] = {}
        for part in text.replace(",", " ").split():
            key_id, colon, encoded = part.partition(":")
            try:
                keys[key_id] = base64.b64decode(encoded.replace("-", "+").replace("_", "/") + "=" * (-len(encoded) % 4), validate=True)
            except binascii.Error:
                raise MasterKeyInvalid(key_id=key_id) from None
            if not colon:
                raise MasterKeyInvalid(key_id="")
        return cls(keys)

    def ring(self, session: Session, *, number: int | None = None) -> KeyRing:
        """The key ring of the session's tenant, made on first use in the session's transaction.

        `number` asks for a ring that holds this data key: when the one in memory does not, it is read again.
        """
        tenant_id = tenant_id_of(session)
        own = session.info.get(_RING)
        ring = own.ring if own is not None else self._rings.get(tenant_id)
        if ring is not None and (number is None or number in ring.keys):
            return ring
        wrapped = session.scalar(select(Tenant.data_key).where(Tenant.id == tenant_id))
        if wrapped is None:
            return self._make_ring(session, tenant_id)
        ring = self._open_ring(tenant_id, wrapped)
        self._keep(session, tenant_id, ring)
        return ring

    def rotate_data_key(self, session: Session) -> int:
        """Add a data key for the session's tenant; it seals from now on, the older ones still open. Returns its number."""
        tenant_id = tenant_id_of(session)
        self.ring(session)
        ring = self._open_ring(tenant_id, self._locked(session, tenant_id))
        number = ring.newest + 1
        self._store(session, tenant_id, _ring(ring.blind, {**ring.keys, number: os.urandom(KEY_BYTES)}))
        return number

    def rewrap(self, session: Session) -> bool:
        """Lock the ring of the session's tenant with the current master key; True when it was locked by another one."""
        tenant_id = tenant_id_of(session)
        wrapped = self._locked(session, tenant_id)
        if wrapped is None or _master_of(wrapped) == self.current:
            return False
        self._store(session, tenant_id, self._open_ring(tenant_id, wrapped))
        return True

    def check(self, session: Session) -> None:
        """Prove at start-up that the configured master keys open what is stored; a new key leaves its canary.

        Needs no tenant. Raises: MasterKeyChanged, MasterKeyLost.
        """
        stored = {row.key_id: row.sealed for row in session.execute(select(MasterKeyCanary.key_id, MasterKeyCanary.sealed))}
        for key_id, sealed in stored.items():
            master = self._masters.get(key_id)
            if master is not None and not _opens(master, sealed, key_id):
                raise MasterKeyChanged(key_id=key_id)
        head = func.substr(Tenant.data_key, 1, func.get_byte(Tenant.data_key, 1) + 2)
        wraps = session.scalars(select(head).where(Tenant.data_key.is_not(None)).distinct())
        missing = sorted({_master_of(wrapped) for wrapped in wraps} - set(self._masters))
        if missing:
            raise MasterKeyLost(
                f"Stored secrets are locked by master key {', '.join(missing)}, which is not configured. Configure that key again, "
                "beside the new one if there is one.",
                key_ids=missing,
            )
        if self.current not in stored:
            nonce = os.urandom(NONCE_BYTES)
            sealed = nonce + self._masters[self.current].encrypt(nonce, _CANARY, self.current.encode())
            session.execute(insert(MasterKeyCanary).values(key_id=self.current, sealed=sealed).on_conflict_do_nothing())

    def _make_ring(self, session: Session, tenant_id: int) -> KeyRing:
        ring = _fresh_ring()
        made = session.execute(
            update(Tenant)
            .where(Tenant.id == tenant_id, Tenant.data_key.is_(None))
            .values(data_key=self._wrap(tenant_id, ring))
            .returning(Tenant.id)
            .execution_options(synchronize_session=False)
        ).scalar_one_or_none()
        if made is not None:
            session.info[_RING] = _OwnRing(ring)
            return ring
        # Somebody else made it while this transaction waited for the row.
        wrapped = session.scalar(select(Tenant.data_key).where(Tenant.id == tenant_id))
        ring = self._open_ring(tenant_id, wrapped)
        self._keep(session, tenant_id, ring)
        return ring

    def _keep(self, session: Session, tenant_id: int, ring: KeyRing) -> None:
        """Remember a ring: for this transaction only when this transaction wrote it, because it may still roll back."""
        if _RING in session.info:
            session.info[_RING] = _OwnRing(ring)
        else:
            self._rings[tenant_id] = ring

    def _store(self, session: Session, tenant_id: int, ring: KeyRing) -> None:
        session.execute(
            update(Tenant)
            .where(Tenant.id == tenant_id)
            .values(data_key=self._wrap(tenant_id, ring))
            .execution_options(synchronize_session=False)
        )
        session.info[_RING] = _OwnRing(ring)

    @staticmethod
    def _locked(session: Session, tenant_id: int) -> bytes | None:
        return session.scalar(select(Tenant.data_key).where(Tenant.id == tenant_id).with_for_update())

    def _wrap(self, tenant_id: int, ring: KeyRing) -> bytes:
        key_id = self.current.encode()
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._masters[self.current].encrypt(nonce, _encode_ring(ring), bound_to(tenant_id, "data_key"))
        return bytes((FORMAT, len(key_id))) + key_id + nonce + sealed

    def _open_ring(self, tenant_id: int, wrapped: bytes | None) -> KeyRing:
        if wrapped is None:
            raise SealBroken(tenant=tenant_id, purpose="data_key")
        key_id = _master_of(wrapped)
        master = self._masters.get(key_id)
        if master is None:
            raise MasterKeyLost(key_ids=[key_id])
        body = wrapped[2 + wrapped[1] :]
        try:
            return _decode_ring(master.decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], bound_to(tenant_id, "data_key")))
        except InvalidTag:
            raise MasterKeyChanged(key_id=key_id) from None


@dataclass(frozen=True)
class _OwnRing:
    """The ring that the open transaction wrote; None after a savepoint was rolled back, to read it again."""

    ring: KeyRing | None


@event.listens_for(TenantSession, "after_soft_rollback")
def _doubt_own_ring(session: Session, _transaction: SessionTransaction) -> None:
    own = session.info.get(_RING)
    if own is not None:
        session.info[_RING] = replace(own, ring=None)


@event.listens_for(TenantSession, "after_transaction_end")
def _drop_own_ring(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_RING, None)


def tenant_id_of(session: Session) -> int:
    if "tenant_id" not in session.info:
        session.connection()  # beginning a transaction binds the session to the open scope
    return tenant_of(session)


def _master_of(wrapped: bytes) -> str:
    return wrapped[2 : 2 + wrapped[1]].decode()


def _opens(master: AESGCM, sealed: bytes, key_id: str) -> bool:
    try:
        return master.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], key_id.encode()) == _CANARY
    except InvalidTag:
        return False
