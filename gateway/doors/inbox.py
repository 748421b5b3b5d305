"""The queue between the threads of the doors and that of the gateway, which answers after its commit.

A door calls `deliver` from its own thread and waits for the future: True once the messages are committed, False when
they could not be stored and the sender must retry. The gateway's thread reads the queue, commits, and answers.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import NamedTuple

from gateway.incoming import Incoming

_MOST_BYTES = 64 << 20  # in the queue; more is answered False at once, so that the sender retries


class Delivery(NamedTuple):
    """Messages that are acknowledged together."""

    messages: list[Incoming]
    stored: Future[bool]


class Inbox:
    """Between the threads of the doors and that of the gateway."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Delivery] = []
        self._bytes = 0
        self._closed = False
        self.due = 0  # ms UTC: when the gateway sends next; what comes before leaves with it
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)

    def fileno(self) -> int:
        """Readable while something waits; for select."""
        return self._read

    def deliver(self, messages: Sequence[Incoming]) -> Future[bool]:
        """Queue messages. The result of the future: whether they are stored. Called by doors."""
        done: Future[bool] = Future()
        size = sum(len(m.payload) for m in messages)
        with self._lock:
            if self._closed or (self._bytes and self._bytes + size > _MOST_BYTES):
                done.set_result(False)
                return done
            self._bytes += size
            self._waiting.append(Delivery(list(messages), done))
            with suppress(BlockingIOError):  # full: then it is readable already
                os.write(self._write, b"x")
        return done

    @property
    def waiting(self) -> bool:
        """Whether a door has delivered something."""
        return bool(self._waiting)

    def take(self, limit: int = 2000) -> list[Delivery]:
        """What waits, oldest first, up to about `limit` messages. Called by the gateway."""
        with self._lock:
            count = place = 0
            while place < len(self._waiting) and count < limit:
                count += len(self._waiting[place].messages)
                place += 1
            taken, self._waiting = self._waiting[:place], self._waiting[place:]
            self._bytes = sum(len(m.payload) for d in self._waiting for m in d.messages)
            if not self._waiting:
                with suppress(BlockingIOError):
                    while os.read(self._read, 65536):
                        pass
        return taken

    @staticmethod
    def answer(deliveries: Sequence[Delivery], stored: bool) -> None:
        """Answer the doors. A door that gave up waiting has cancelled the future."""
        for delivery in deliveries:
            if delivery.stored.set_running_or_notify_cancel():
                delivery.stored.set_result(stored)

    def close(self) -> None:
        """Answer False to all that wait, and at once to what comes later: nobody reads the queue any more."""
        with self._lock:
            self._closed = True
        self.answer(self.take(1 << 30), False)
