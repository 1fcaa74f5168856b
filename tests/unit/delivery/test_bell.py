"""What is remembered of the bell."""

import pytest

from core.delivery import bell
from core.delivery.bell import BellMemory

ME, YOU = (1, 7), (2, 7)


@pytest.fixture
def clock():
    return [100.0]


@pytest.fixture
def memory(clock):
    return BellMemory(10.0, lambda: clock[0])


def test_bell_is_asked_again_when_its_answer_is_too_old(memory, clock):
    answers = iter([3, 4])
    found = [memory.unread(ME, lambda: next(answers))]
    for moment in (109.9, 110.0):
        clock[0] = moment
        found.append(memory.unread(ME, lambda: next(answers)))

    assert found == [3, 3, 4]


def test_silence_of_a_bell_is_kept_when_it_failed(memory):
    found = [memory.unread(ME, lambda: None), memory.unread(ME, lambda: 5)]

    assert found == [None, None]


def test_answers_are_kept_apart_when_tenants_differ(memory):
    assert [memory.unread(ME, lambda: 1), memory.unread(YOU, lambda: 2), memory.unread(ME, lambda: 9)] == [1, 2, 1]


def test_one_answer_or_all_are_forgotten_on_request(memory):
    for reader in (ME, YOU):
        memory.unread(reader, lambda: 1)

    memory.forget(ME)
    first = [memory.unread(reader, lambda: 2) for reader in (ME, YOU)]
    memory.forget()

    assert (first, [memory.unread(reader, lambda: 3) for reader in (ME, YOU)]) == ([2, 1], [3, 3])


def test_memory_is_bounded_when_many_read(memory, monkeypatch):
    monkeypatch.setattr(bell, "MOST", 2)

    for reader in ((1, 1), (1, 2), (1, 3)):
        memory.unread(reader, lambda: 1)

    assert memory.unread((1, 1), lambda: 2) == 2
