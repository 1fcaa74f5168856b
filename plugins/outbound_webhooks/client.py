"""Talking to a receiver: one signed request, and what its answer means.

Source: common practice of webhook senders (shared reference, reliability §1): retries for every answer but 2xx, 410 ends it, 429 and
503 may ask for a pause, redirects are not followed.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.sdk import DeliveryContext, HttpResponse, retry_after_s
from plugins.outbound_webhooks.errors import Answered, ReceiverFailed, ReceiverGone
from plugins.outbound_webhooks.signing import HEADER, signature_header

TIMEOUT_S = 10.0
KEPT_OF_ANSWER = 1024


@dataclass(frozen=True, slots=True)
class Letter:
    """A message ready to be sent. `keys` are the secrets to sign with, the newest first; `number` counts the attempts."""

    message_id: UUID
    hook_id: UUID
    event_id: UUID
    kind: str
    number: int
    url: str
    body: bytes
    keys: tuple[str, ...]


def post(ctx: DeliveryContext) -> Answered | None:
    """Send the letter in `ctx.request`; None when there is nothing to send any more.

    Raises: ReceiverFailed (Unavailable) - any answer but 2xx; ReceiverGone (Invalid) - 410; and what `HttpClient.request` raises.
    """
    letter: Letter | None = ctx.request
    if letter is None:
        return None
    response = ctx.http.request("POST", letter.url, body=letter.body, headers=headers_of(ctx, letter), timeout_s=TIMEOUT_S)
    answered = Answered(response.status, round(response.elapsed_s * 1000), _beginning(response))
    if 200 <= response.status < 300:
        return answered
    if response.status == 410:
        raise ReceiverGone(answered)
    pause_s = retry_after_s(response, now=ctx.clock.now()) if response.status in (429, 503) else None
    raise ReceiverFailed(answered, retry_after_s=pause_s)


def headers_of(ctx: DeliveryContext, letter: Letter) -> dict[str, str]:
    """The headers of one attempt: the ids stay the same on every repeat, the timestamp is that of the attempt."""
    return {
        "Content-Type": "application/json",
        "Orderloom-Event-Id": str(letter.event_id),
        "Orderloom-Event-Kind": letter.kind,
        "Orderloom-Delivery-Id": str(letter.message_id),
        "Orderloom-Attempt": str(letter.number),
        HEADER: signature_header(letter.keys, int(ctx.clock.now().timestamp()), letter.body),
    }


def _beginning(response: HttpResponse) -> str:
    return response.body[:KEPT_OF_ANSWER].decode("utf-8", "replace").replace("\x00", "\ufffd")
