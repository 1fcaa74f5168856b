"""Errors of event delivery.

    Conflict
    ├── SequenceTaken        an event of this subject has this number already
    └── NotReplayable        the delivery is still on its way
    NotFound
    └── DeliveryUnknown      no such delivery in this tenant
    Unavailable
    ├── AnswerLost           the request may have taken effect; ask before repeating
    ├── RateLimited          the other side asked for a pause; not counted as an attempt
    └── BreakerOpen          too many calls failed of late; not counted as an attempt

Delivery looks at two attributes of an Unavailable error and not at its class: `outcome_unknown` and `counts_attempt`. A Denied
error with `park=True` parks the delivery until somebody signs in again, instead of ending it.
"""

from __future__ import annotations

from core.kernel.errors import Conflict, NotFound, Unavailable


class SequenceTaken(Conflict):
    """The subject already has an event with this number."""

    code = "events.sequence_taken"


class NotReplayable(Conflict):
    """Only a delivery that has ended can be sent again."""

    code = "events.not_replayable"


class DeliveryUnknown(NotFound):
    """There is no such delivery."""

    code = "events.delivery_unknown"


class AnswerLost(Unavailable):
    """The request went out but no answer came back, so it may or may not have taken effect."""

    code = "events.answer_lost"
    outcome_unknown = True


class RateLimited(Unavailable):
    """The other side asked to slow down."""

    code = "events.rate_limited"
    counts_attempt = False


class BreakerOpen(Unavailable):
    """Calls are held back because too many failed of late."""

    code = "events.breaker_open"
    counts_attempt = False
