"""What can go wrong with webhooks.

    Invalid
    ├── HookRefused          a value of a subscription is wrong; `field` names it
    ├── ReceiverGone         the receiver answers 410: it wants no more
    └── NotReplayable        the message is still on its way
    NotFound
    ├── HookUnknown          no such subscription
    └── MessageUnknown       no such message
    Conflict
    ├── NameTaken            another subscription has this name
    ├── TooManyHooks         no more subscriptions
    └── TooOld               tried for three days
    Unavailable
    └── ReceiverFailed       the receiver answered with another status than 2xx
"""

from __future__ import annotations

from dataclasses import dataclass

from core.sdk import Conflict, Invalid, NotFound, Unavailable


@dataclass(frozen=True, slots=True)
class Answered:
    """A receiver's answer: status, milliseconds, and the beginning of the body."""

    status: int
    took_ms: int
    text: str


class HookRefused(Invalid):
    """This value cannot be used."""

    code = "outbound_webhooks.hook_refused"


class ReceiverGone(Invalid):
    """The receiver says that it is gone for good."""

    code = "outbound_webhooks.receiver_gone"

    def __init__(self, answered: Answered) -> None:
        super().__init__(answer_status=answered.status)
        self.answered = answered


class NotReplayable(Invalid):
    """This message is still on its way."""

    code = "outbound_webhooks.not_replayable"
    status = 409


class HookUnknown(NotFound):
    """There is no such webhook."""

    code = "outbound_webhooks.hook_unknown"


class MessageUnknown(NotFound):
    """There is no such delivery."""

    code = "outbound_webhooks.message_unknown"


class NameTaken(Conflict):
    """Another webhook has this name."""

    code = "outbound_webhooks.name_taken"
    field = "name"


class TooManyHooks(Conflict):
    """There are as many webhooks as are allowed."""

    code = "outbound_webhooks.too_many_hooks"


class TooOld(Conflict):
    """It was tried for three days."""

    code = "outbound_webhooks.too_old"


class ReceiverFailed(Unavailable):
    """The receiver did not accept the message."""

    code = "outbound_webhooks.receiver_failed"

    def __init__(self, answered: Answered, *, retry_after_s: float | None = None) -> None:
        super().__init__(retry_after_s=retry_after_s, answer_status=answered.status)
        self.answered = answered
