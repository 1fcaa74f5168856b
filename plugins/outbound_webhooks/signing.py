"""Signing messages: HMAC-SHA256 over the timestamp, a dot, and the body, so that an old message cannot be sent again as a new one.

    Orderloom-Signature: t=1763700000,v1=5257a8…[,v1=7f2c…]

While a secret is being replaced there are two signatures, one by each secret; a receiver accepts the message if one of them is right.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence

HEADER = "Orderloom-Signature"
PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_secret() -> str:
    """A secret that nobody has seen yet, 256 bits."""
    return PREFIX + secrets.token_urlsafe(_SECRET_BYTES)


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The signature as 64 hex digits. The whole text of the secret is the key, its prefix included."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def signature_header(keys: Sequence[str], timestamp: int, body: bytes) -> str:
    """The value of the header: the timestamp in Unix seconds and one signature for each secret, the newest first."""
    return ",".join([f"t={timestamp}", *(f"v1={signature(key, timestamp, body)}" for key in keys)])
