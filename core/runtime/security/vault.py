"""Sealing values of a tenant: secrets of plugins, personal data of buyers.

A sealed value is bound to its tenant and its purpose (`jd.app_secret`, `customer.phone`), so neither a copied row nor a copied column
opens. Its bytes: format (1), number of the data key (4), nonce (12), ciphertext with tag (length + 16). The keys are those of
`core.runtime.security.keyring`.
"""

from __future__ import annotations

import hmac
import os
import struct
from collections.abc import Iterable
from typing import Any

from cryptography.exceptions import InvalidTag
from sqlalchemy.orm import Session

from core.runtime.security.keyring import FORMAT, NONCE_BYTES, SealBroken, Vault, VaultMissing, bound_to, tenant_id_of

__all__ = [
    "SealBroken",
    "Vault",
    "VaultMissing",
    "blind",
    "blind_many",
    "key_number",
    "reseal",
    "seal",
    "seal_many",
    "unseal",
    "unseal_bytes",
    "unseal_many",
    "vault_of",
]

_HEAD = struct.Struct(">BI")


def vault_of(session: Session) -> Vault:
    """The vault that `Database(url, vault=…)` handed to its sessions. Raises VaultMissing."""
    vault: Any = session.info.get("vault")
    if not isinstance(vault, Vault):
        raise VaultMissing
    return vault


def seal(session: Session, purpose: str, plaintext: str | bytes) -> bytes:
    """Encrypt one value for the session's tenant; `purpose` is needed again to open it. Two calls never give the same bytes."""
    ring = vault_of(session).ring(session)
    nonce = os.urandom(NONCE_BYTES)
    data = plaintext.encode() if isinstance(plaintext, str) else plaintext
    sealed = ring.ciphers[ring.newest].encrypt(nonce, data, bound_to(tenant_id_of(session), purpose))
    return _HEAD.pack(FORMAT, ring.newest) + nonce + sealed


def seal_many(session: Session, purpose: str, plaintexts: Iterable[str | None]) -> list[bytes | None]:
    """Encrypt many values of one purpose; None stays None."""
    values = list(plaintexts)
    ring = vault_of(session).ring(session)
    encrypt = ring.ciphers[ring.newest].encrypt
    head, bound = _HEAD.pack(FORMAT, ring.newest), bound_to(tenant_id_of(session), purpose)
    pool = memoryview(os.urandom(NONCE_BYTES * len(values)))
    sealed: list[bytes | None] = []
    at = 0
    for value in values:
        if value is None:
            sealed.append(None)
            continue
        nonce = bytes(pool[at : at + NONCE_BYTES])
        at += NONCE_BYTES
        sealed.append(head + nonce + encrypt(nonce, value.encode(), bound))
    return sealed


def unseal_bytes(session: Session, purpose: str, sealed: bytes) -> bytes:
    """Open one sealed value. Raises SealBroken - changed, or sealed for another tenant or purpose."""
    tenant_id = tenant_id_of(session)
    number = key_number(sealed)
    ring = vault_of(session).ring(session, number=number)
    cipher = ring.ciphers.get(number)
    if cipher is None or sealed[0] != FORMAT:
        raise SealBroken(purpose=purpose)
    body = sealed[_HEAD.size :]
    try:
        return cipher.decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], bound_to(tenant_id, purpose))
    except (InvalidTag, ValueError):
        raise SealBroken(purpose=purpose) from None


def unseal(session: Session, purpose: str, sealed: bytes) -> str:
    """Open one sealed text. Raises SealBroken - changed, or sealed for another tenant or purpose."""
    return unseal_bytes(session, purpose, sealed).decode()


def unseal_many(session: Session, purpose: str, sealed: Iterable[bytes | None]) -> list[str | None]:
    """Open many texts of one purpose; None stays None. Raises SealBroken."""
    return [None if value is None else unseal(session, purpose, value) for value in sealed]


def key_number(sealed: bytes) -> int:
    """The number of the data key that locks `sealed`. Raises SealBroken - this is no sealed value."""
    if len(sealed) < _HEAD.size + NONCE_BYTES:
        raise SealBroken(purpose="")
    number: int = _HEAD.unpack_from(sealed)[1]
    return number


def reseal(session: Session, purpose: str, sealed: bytes) -> bytes:
    """The same value under the newest data key; the very bytes given when they already are."""
    if key_number(sealed) == vault_of(session).ring(session).newest:
        return sealed
    return seal(session, purpose, unseal_bytes(session, purpose, sealed))


def blind(session: Session, purpose: str, value: str) -> str:
    """A keyed fingerprint for look-up by equality: 32 hex digits, equal for equal values of one tenant and purpose only.

    The caller brings the value into one spelling first (trimmed, lower case, digits only).
    """
    ring = vault_of(session).ring(session)
    return hmac.digest(ring.blind, f"{purpose}\0{value}".encode(), "sha256")[:16].hex()


def blind_many(session: Session, purpose: str, values: Iterable[str | None]) -> list[str | None]:
    """Fingerprints of many values of one purpose; None stays None."""
    key = vault_of(session).ring(session).blind
    head = f"{purpose}\0"
    return [None if value is None else hmac.digest(key, (head + value).encode(), "sha256")[:16].hex() for value in values]
