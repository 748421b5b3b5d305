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

_MOST = 50_000  # messages that wait while nothing can be stored; then the oldest are dropped
_RETRY_S = 5.0


class Handover:
    """Hands messages to the gateway's thread. `stopped`: whether the door is to end."""

    def __init__(self, inbox: Inbox, stopped: Callable[[], bool]) -> None:
        self._inbox, self._stopped = inbox, stopped
        self._waiting: deque[Incoming] = deque(maxlen=_MOST)
        self._retry_at = 0.0

    def __len__(self) -> int:
        """How many messages wait."""
        return len(self._waiting)

    def give(self, *messages: Incoming) -> bool:
        """Store messages, and those that wait from before; whether all are stored now."""
        if len(self._waiting) + len(messages) > _MOST:
            log.warning("nothing can be stored for long: the oldest of %d messages are dropped", _MOST)
        self._waiting.extend(messages)
        if not self._waiting or (self._retry_at and time.monotonic() < self._retry_at):
            return not self._waiting
        if self._answer(self._inbox.deliver(list(self._waiting))):
            self._waiting.clear()
            self._retry_at = 0.0
            return True
        self._retry_at = time.monotonic() + _RETRY_S
        return False

    def _answer(self, stored: Future[bool]) -> bool:
        """The answer; a commit is waited for, because what is cancelled may be stored already."""
        while not self._stopped():
            try:
                return stored.result(0.5)
            except NotYet:
                continue
        return False
