"""Messages of a door without acknowledgement: held in memory until it is stored, in order, with its time of arrival."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet

from gateway.doors.inbox import Inbox
from gateway.incoming import Incoming

log = logging.getLogger(__name__)

_MOST, _MOST_BYTES = 50_000, 16 << 20  # that wait while nothing can be stored; then the oldest are dropped
_RETRY_S = 5.0


class Handover:
    """Hands messages to the gateway's thread. `stopped`: whether the door is to end."""

    def __init__(self, inbox: Inbox, stopped: Callable[[], bool]) -> None:
        self._inbox, self._stopped = inbox, stopped
        self._waiting: deque[Incoming] = deque()
        self._bytes = self._dropped = 0
        self._retry_at = 0.0

    def __len__(self) -> int:
        """How many messages wait."""
        return len(self._waiting)

    def give(self, *messages: Incoming) -> bool:
        """Store messages, and those that wait from before; whether all are stored now."""
        self._waiting.extend(messages)
        self._bytes += sum(len(m.payload) for m in messages)
        self._drop()
        if not self._waiting or (self._retry_at and time.monotonic() < self._retry_at):
            return not self._waiting
        if self._answer(self._inbox.deliver(list(self._waiting))):
            self._stored()
            return True
        self._retry_at = time.monotonic() + _RETRY_S
        return False

    def _drop(self) -> None:
        """The oldest messages where there are too many; logged once until something can be stored."""
        if not self._dropped and (len(self._waiting) > _MOST or self._bytes > _MOST_BYTES):
            log.warning("nothing can be stored for long: the oldest of %d messages are dropped", len(self._waiting))
        while len(self._waiting) > _MOST or self._bytes > _MOST_BYTES:
            self._bytes -= len(self._waiting.popleft().payload)
            self._dropped += 1

    def _stored(self) -> None:
        if self._dropped:
            log.warning("messages are stored again; %d were dropped", self._dropped)
        self._waiting.clear()
        self._bytes = self._dropped = 0
        self._retry_at = 0.0

    def _answer(self, stored: Future[bool]) -> bool:
        """The answer; a commit is waited for, because what is cancelled may be stored already."""
        while not self._stopped():
            try:
                return stored.result(0.5)
            except NotYet:
                continue
        return False
