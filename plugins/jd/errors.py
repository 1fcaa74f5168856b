"""What JD's refusals mean here. Sources: JOS platform error codes; the business codes are texts of single services.

Denied > CredentialsRefused of the SDK
├── SessionExpired       jd.session_expired       19: the token is over; the shop must be authorised again
└── CredentialsRefused   jd.credentials_refused   signature, app key or permission are wrong
Unavailable
├── Throttled            jd.throttled             2: too many calls; nothing was done
├── Busy                 jd.busy                  JD's side failed or timed out
└── AnswerUnreadable     jd.answer_unreadable     not JSON, or cut short; a write may have taken effect
Invalid
├── PayloadInvalid       jd.payload_invalid       a document that cannot be mapped; `field` names the place
├── StateUnknown         jd.state_unknown         a state without a meaning here yet
├── RequestRefused       jd.request_refused       the gateway or a service refused this very request
└── MethodMissing        jd.method_missing        15, 23: the method does not exist (any more)
NotFound
└── OrderUnknown         jd.order_unknown         JD knows no such order of this shop
"""

from __future__ import annotations

from core.sdk import CredentialsRefused as Refused
from core.sdk import Invalid, NotFound, OrderloomError, Unavailable


class SessionExpired(Refused):
    """The access token has expired or is unknown; authorise the app again in the shop and enter the new token."""

    code = "jd.session_expired"


class CredentialsRefused(Refused):
    """JD refuses the app's key, signature or permission."""

    code = "jd.credentials_refused"


class Throttled(Unavailable):
    """JD limits the number of calls; the call was not carried out."""

    code = "jd.throttled"


class Busy(Unavailable):
    """JD's service failed or timed out."""

    code = "jd.busy"


class AnswerUnreadable(Unavailable):
    """JD's answer is not readable; a write may have taken effect all the same."""

    code = "jd.answer_unreadable"


class PayloadInvalid(Invalid):
    """A document of JD does not have the documented shape."""

    code = "jd.payload_invalid"


class StateUnknown(Invalid):
    """JD sent a state that has no meaning here yet."""

    code = "jd.state_unknown"


class RequestRefused(Invalid):
    """JD refused the request; a repeat will not cure it."""

    code = "jd.request_refused"


class MethodMissing(Invalid):
    """JD does not know this API method, or has switched it off."""

    code = "jd.method_missing"


class OrderUnknown(NotFound):
    """JD knows no such order of this shop."""

    code = "jd.order_unknown"


_GATEWAY_KINDS: dict[str, type[OrderloomError]] = {
    **dict.fromkeys(("1", "43", "65", "66", "67", "69"), Busy),
    **dict.fromkeys(("3", "12", "20", "21", "22", "24", "25", "64", "72", "73"), CredentialsRefused),
    **dict.fromkeys(("15", "23"), MethodMissing),
    **dict.fromkeys(("18", "19"), SessionExpired),
    "2": Throttled,
}
# "System error, try again", of the shipment service.
_SERVICE_KINDS: dict[str, type[OrderloomError]] = dict.fromkeys(("999999", "99999999"), Busy)


def _refusal(kinds: dict[str, type[OrderloomError]], code: str, text: str) -> OrderloomError:
    kind = kinds.get(code, RequestRefused)
    lower = text.lower()
    # The codes for it differ from service to service; the wording does not.
    if kind is RequestRefused and ("订单不存在" in text or ("order" in lower and "not exist" in lower)):
        kind = OrderUnknown
    return kind(f"JD {code}: {text}"[:300], vendor_code=code, vendor_text=text[:200])


def gateway_refusal(code: str, text: str) -> OrderloomError:
    """The error that stands for a refusal of the gateway (or for a method root whose code is not zero)."""
    return _refusal(_GATEWAY_KINDS, code, text)


def service_refusal(code: str, text: str) -> OrderloomError:
    """The error that stands for a refusal in a service's own result, whose codes mean something else than the gateway's."""
    return _refusal(_SERVICE_KINDS, code, text)
