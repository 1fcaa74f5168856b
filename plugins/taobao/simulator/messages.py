"""The platform's push messages (TMC): waiting until confirmed, in no order, some of them more than once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from core.sdk import Clock
from plugins.taobao.gateway import china_text

FIRST_ID = 6_161_700_000_000_000_000
USER_ID = 2_000_000_001
# A message that was handed out comes again after this time unless it was confirmed.
HIDDEN_FOR = timedelta(seconds=60)
_AGAIN = 0.05


@dataclass
class _Waiting:
    message_id: int
    topic: str
    content: str
    published_at: datetime
    hidden_until: datetime
    is_repeated: bool


class MessageQueue:
    """Messages of one shop. Nothing is kept before `permit`; the caller sees to locking."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._random = Random(seed)  # noqa: S311 - an order of delivery, no secret
        self._waiting: dict[int, _Waiting] = {}
        self._count = 0
        self.is_permitted = False
        self.topics: frozenset[str] = frozenset()

    def permit(self, topics: frozenset[str]) -> None:
        """Switch messages on, for `topics` or, when empty, for all."""
        self.is_permitted, self.topics = True, topics

    def put(self, topic: str, facts: dict[str, Any]) -> None:
        """Let a message wait; its content is what is true now."""
        if not self.is_permitted or (self.topics and topic not in self.topics):
            return
        self._count += 1
        now = self._clock.now()
        content = json.dumps(facts, ensure_ascii=False)
        number = FIRST_ID + self._count
        self._waiting[number] = _Waiting(number, topic, content, now, now, self._random.random() < _AGAIN)

    def consume(self, quantity: int, *, app_key: str, nick: str) -> list[dict[str, Any]]:
        """Up to `quantity` messages in the platform's form, hidden from now on for HIDDEN_FOR."""
        now = self._clock.now()
        ready = [message for message in self._waiting.values() if message.hidden_until <= now]
        picked = self._random.sample(ready, min(quantity, len(ready)))
        for message in picked:
            message.hidden_until = now + HIDDEN_FOR
        return [
            {
                "id": message.message_id,
                "topic": message.topic,
                "pub_app_key": app_key,
                "pub_time": china_text(message.published_at),
                "user_id": USER_ID,
                "user_nick": nick,
                "content": message.content,
            }
            for message in picked
        ]

    def confirm(self, message_ids: list[int]) -> None:
        """Forget these messages; a few come once more all the same, as delivery is only promised at least once."""
        for number in message_ids:
            message = self._waiting.get(number)
            if message and message.is_repeated:
                message.is_repeated = False
                message.hidden_until = self._clock.now()
            elif message:
                del self._waiting[number]

    def waiting(self) -> int:
        """How many messages are not confirmed yet."""
        return len(self._waiting)
