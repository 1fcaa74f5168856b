"""Request signatures of JOS: upper-case hex MD5 over the sorted parameters between two copies of the secret."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping

SIGN = "sign"


def _text(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "replace")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return str(value)


def sign(params: Mapping[str, object], secret: str) -> str:
    """The signature of one request: 32 upper-case hex digits.

    `params` are all request parameters of query and body with their values as sent, before URL encoding; `360buy_param_json` is the exact
    JSON text, an object or a list in its place counts as compact JSON. `sign` itself and values that are None take no part; an empty
    value counts with its name, as most client libraries do it.
    Source: JOS documents, "call the API", step 3; checked against requests of four public client libraries.
    """
    pairs = "".join(f"{name}{_text(params[name])}" for name in sorted(params) if name != SIGN and params[name] is not None)
    # MD5 is JD's choice, not ours; it is no secret-keeping hash here.
    digest = hashlib.md5(f"{secret}{pairs}{secret}".encode("utf-8", "surrogatepass"), usedforsecurity=False)
    return digest.hexdigest().upper()


def is_signed(params: Mapping[str, object], secret: str) -> bool:
    """Whether `params["sign"]` is right for the other parameters.

    Client libraries disagree about empty values (the Java one leaves them out, the others sign the bare name) and about a `sign_method`
    (some send it unsigned, though JD knows one method only), so all ways are accepted. Compares in constant time.
    """
    given = _text(params.get(SIGN) or "").upper().encode("utf-8", "replace")
    without_empty = {name: value for name, value in params.items() if value is not None and _text(value) != ""}
    without_method = {name: value for name, value in params.items() if name != "sign_method"}
    matches = [hmac.compare_digest(given, sign(chosen, secret).encode()) for chosen in (params, without_empty, without_method)]
    return any(matches)
