"""Signed tokens for programs that sign in with a password: 15 minutes of access, renewed while the sign-in behind them lives.

Every token names the row of its sign-in and one tenant. The row is asked for at each request, so ending the sign-in, changing the password
or switching the account off ends all its tokens at once, whatever their dates say.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Flask
from flask_jwt_extended import create_access_token, create_refresh_token, decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt.exceptions import PyJWTError

from core.delivery.web.identity import NotSignedIn
from core.kernel.ids import parse_id
from core.runtime.security.sessions import RULES

ACCESS_FOR = timedelta(minutes=15)
ISSUER = "orderloom"
AUDIENCE = "orderloom-api"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says."""

    session_id: UUID
    user_id: int
    tenant_id: int


def configure_jwt(app: Flask, secret_key: str) -> None:
    """Settings of Flask-JWT-Extended, with a key of its own derived from the installation's. Call before AppBuilder is made."""
    app.config.update(
        JWT_SECRET_KEY=hmac.new(secret_key.encode(), b"orderloom json web tokens", hashlib.sha256).hexdigest(),
        JWT_ALGORITHM="HS256",
        JWT_DECODE_ALGORITHMS=["HS256"],
        JWT_ACCESS_TOKEN_EXPIRES=ACCESS_FOR,
        JWT_REFRESH_TOKEN_EXPIRES=RULES.valid_for,
        JWT_ENCODE_ISSUER=ISSUER,
        JWT_DECODE_ISSUER=ISSUER,
        JWT_ENCODE_AUDIENCE=AUDIENCE,
        JWT_DECODE_AUDIENCE=AUDIENCE,
        JWT_TOKEN_LOCATION=["headers"],
        JWT_COOKIE_CSRF_PROTECT=True,
    )


def _claims(claims: Claims) -> dict[str, Any]:
    return {"sid": str(claims.session_id), "tnt": claims.tenant_id}


def access_token(claims: Claims) -> str:
    """A token that lets in for 15 minutes."""
    return create_access_token(identity=str(claims.user_id), additional_claims=_claims(claims))


def refresh_token(claims: Claims) -> str:
    """A token that only gets new access tokens."""
    return create_refresh_token(identity=str(claims.user_id), additional_claims=_claims(claims))


def read_token(text: str, *, kind: str) -> Claims:
    """What `text` says, if we signed it, it is of `kind` (access or refresh) and its time is not up. Raises NotSignedIn."""
    try:
        data: Mapping[str, Any] = decode_token(text)
    except (PyJWTError, JWTExtendedException, ValueError) as error:
        raise NotSignedIn from error
    session_id = parse_id(data.get("sid"))
    user, tenant = str(data.get("sub")), data.get("tnt")
    if data.get("type") != kind or session_id is None or not user.isdecimal() or not isinstance(tenant, int):
        raise NotSignedIn
    return Claims(session_id, int(user), tenant)
