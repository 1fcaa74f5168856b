"""Signing in for programs, in OpenAPI's words."""

from __future__ import annotations

from core.delivery.api.base import Described
from core.delivery.api.describe import Schema, answer, body_of, operation, problems, ref
from core.delivery.web.jwt import ACCESS_FOR

TAG = "Security"
_TOKENS: Schema = {
    "type": "object",
    "required": ["access_token", "token_type", "expires_in"],
    "properties": {
        "access_token": {"type": "string", "description": f"Lets in for {int(ACCESS_FOR.total_seconds() // 60)} minutes."},
        "token_type": {"const": "Bearer"},
        "expires_in": {"type": "integer", "description": "Seconds."},
        "tenant": {"type": "string", "description": "The short name of the business."},
        "refresh_token": {"type": "string", "description": "Gets new access tokens while the sign-in lives."},
    },
}
_LOGIN: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["username", "password"],
    "properties": {
        "username": {"type": "string", "minLength": 1},
        "password": {"type": "string", "minLength": 1, "format": "password"},
        "tenant": {"type": "string", "description": "The short name of a business; not needed with one membership."},
        "refresh": {"type": "boolean", "default": False, "description": "Whether a refresh token is wanted too."},
    },
}


def described_security() -> Described:
    """Paths and schemas of `/api/v1/security`, which exists outside the businesses' addresses only."""
    paths: dict[str, Schema] = {
        "/security/login": {
            "post": operation(
                "security_login",
                tag=TAG,
                summary="Tokens for a name and a password",
                security=[],
                requestBody=body_of(ref("SignIn")),
                responses={"200": answer("Signed in.", ref("Tokens")), **problems(("400", "401", "413", "415", "422", "429"))},
            )
        },
        "/security/refresh": {
            "post": operation(
                "security_refresh",
                tag=TAG,
                summary="A new access token; Authorization holds the refresh token",
                responses={"200": answer("A new access token.", ref("Tokens")), **problems(("400", "401"))},
            )
        },
        "/security/logout": {
            "post": operation(
                "security_logout",
                tag=TAG,
                summary="End the sign-in and all its tokens; Authorization holds an access token",
                responses={"204": answer("Signed out."), **problems(("400", "401"))},
            )
        },
    }
    return Described(paths, {"SignIn": _LOGIN, "Tokens": _TOKENS})
