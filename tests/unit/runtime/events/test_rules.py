"""Decisions about failed deliveries."""

from random import Random

import pytest
from sqlalchemy.exc import OperationalError

from core.kernel.errors import Conflict, Denied, Invalid, NotFound, Unavailable
from core.runtime.events.errors import AnswerLost, BreakerOpen, RateLimited
from core.runtime.events.rules import (
    ALONE,
    describe,
    died,
    halves,
    is_connection_lost,
    is_deadly,
    is_retryable,
    judge,
    judge_sent,
    piece_size,
    pieces,
    retry_delay_s,
)
from core.runtime.jobs.limits import TimeLimit


def verdict(error, attempts=1, max_attempts=30):
    return judge(error, attempts=attempts, max_attempts=max_attempts, random=Random(1))


@pytest.mark.parametrize(("attempt", "middle"), [(1, 1), (2, 16), (3, 81), (7, 2401), (8, 3600), (30, 3600)])
def test_retry_delay_grows_with_the_fourth_power_up_to_an_hour(attempt, middle):
    delays = [retry_delay_s(attempt, Random(seed)) for seed in range(200)]

    assert min(delays) >= middle * 0.8
    assert max(delays) <= middle * 1.2
    assert max(delays) - min(delays) > middle * 0.3


def test_thirty_attempts_span_about_a_day():
    total = sum(min(3600.0, float(attempt**4)) for attempt in range(1, 30))

    assert 22 <= total / 3600 <= 24


def test_verdict_is_another_try_when_something_is_unavailable():
    found = verdict(Unavailable())

    assert (found.state, found.counted) == ("pending", True)
    assert 0.8 <= found.delay_s <= 1.2


def test_verdict_is_death_when_the_attempts_are_used_up():
    assert verdict(Unavailable(), attempts=30).state == "dead"


@pytest.mark.parametrize("error", [Invalid("no", field="sku"), NotFound(), Denied(), Conflict()])
def test_verdict_is_death_at_once_when_trying_again_cannot_help(error):
    assert verdict(error).state == "dead"


def test_verdict_parks_when_somebody_has_to_sign_in():
    found = verdict(Denied(park=True))

    assert (found.state, found.reason, found.counted) == ("parked", "reauth", False)


@pytest.mark.parametrize("error", [RateLimited(retry_after_s=7), Unavailable(retry_after_s=7)])
def test_verdict_waits_as_asked_and_counts_no_attempt_when_the_other_side_is_busy(error):
    found = verdict(error, attempts=99)

    assert (found.state, found.delay_s, found.counted) == ("pending", 7, False)


def test_verdict_counts_no_attempt_when_the_breaker_is_open():
    found = verdict(BreakerOpen(), attempts=99)

    assert (found.state, found.counted) == ("pending", False)
    assert found.delay_s > 0


@pytest.mark.parametrize("error", [KeyError("x"), TimeLimit()])
def test_verdict_gives_the_unexpected_five_attempts(error):
    assert [verdict(error, attempts=n).state for n in (1, 4, 5)] == ["pending", "pending", "dead"]


@pytest.mark.parametrize("error", [AnswerLost(), TimeLimit(), KeyError("x"), ConnectionResetError()])
def test_verdict_on_a_sent_call_is_unknown_when_nobody_says_what_happened(error):
    found = judge_sent(error, attempts=1, max_attempts=30, random=Random(1))

    assert found.state == "unknown"


@pytest.mark.parametrize(("error", "state"), [(Invalid(), "dead"), (Unavailable(), "pending"), (RateLimited(retry_after_s=1), "pending")])
def test_verdict_on_a_sent_call_is_known_when_the_error_says_what_happened(error, state):
    assert judge_sent(error, attempts=1, max_attempts=30, random=Random(1)).state == state


def test_verdict_on_a_sent_call_is_death_when_nobody_ever_says():
    found = judge_sent(AnswerLost(), attempts=30, max_attempts=30, random=Random(1))

    assert (found.state, found.error["code"], found.error["cause"]["code"]) == ("dead", "events.outcome_unknown", "events.answer_lost")


def test_description_keeps_code_message_and_plain_facts_of_our_own_errors():
    told = describe(Invalid("Too long.", field="name", limit=40, thing=object()))

    assert told == {"code": "invalid", "message": "Too long.", "facts": {"limit": 40}}


def test_description_of_a_strange_error_names_its_place_and_not_its_text():
    with pytest.raises(ValueError, match="4111") as caught:
        int("card 4111 1111 1111 1111")
    told = describe(caught.value)

    assert told["code"] == "events.unexpected"
    assert told["message"].startswith("ValueError at events/test_rules.py:")
    assert "4111" not in str(told)


def test_database_errors_are_told_apart():
    class Gone(Exception):
        sqlstate = "57P01"

    class Deadlock(Exception):
        sqlstate = "40P01"

    gone, deadlock = OperationalError("x", {}, Gone()), OperationalError("x", {}, Deadlock())

    assert (is_connection_lost(gone), is_connection_lost(deadlock), is_connection_lost(KeyError())) == (True, False, False)
    assert (is_retryable(deadlock), is_retryable(Unavailable()), is_retryable(KeyError())) == (True, True, False)


@pytest.mark.parametrize(
    ("attempts", "interrupted", "size"), [(0, False, 100), (1, False, 10), (2, False, ALONE), (0, True, ALONE), (1, True, ALONE)]
)
def test_pieces_shrink_when_deliveries_have_failed_before(attempts, interrupted, size):
    assert piece_size(100, attempts=attempts, interrupted=interrupted) == size


def test_pieces_and_halves_keep_order_and_lose_nothing():
    assert [list(part) for part in pieces([1, 2, 3, 4, 5], 2)] == [[1, 2], [3, 4], [5]]
    assert [list(part) for part in halves([1, 2, 3])] == [[1], [2, 3]]


@pytest.mark.parametrize(
    ("deaths", "attempts", "is_over"), [(1, 1, False), (2, 2, False), (3, 3, True), (1, 29, False), (1, 30, True), (0, 0, False)]
)
def test_delivery_is_given_up_after_three_deaths_or_its_last_attempt(deaths, attempts, is_over):
    assert is_deadly(deaths=deaths, attempts=attempts, most_deaths=3, max_attempts=30) is is_over


def test_deaths_are_told_by_their_number():
    assert [died(count)["message"].partition(":")[0] for count in (1, 3)] == ["Its worker died once", "Its worker died 3 times"]
    assert (died(3)["code"], died(3)["facts"]) == ("events.worker_died", {"deaths": 3})
