"""What the doors on wires share: a thread that reopens the wire when it is back, one log line for each change."""

from __future__ import annotations

import logging
import random
from abc import abstractmethod

from gateway.doors.handover import Handover
from gateway.doors.inbox import Inbox
from gateway.doors.threaded import ThreadedDoor
from telemetry.errors import cause

log = logging.getLogger(__name__)

_LONGEST_S = 30.0


class WireDoor(ThreadedDoor):
    """One wire. `name`: of the thread; `port`: in log lines."""

    def __init__(self, inbox: Inbox, name: str, port: str) -> None:
        super().__init__(f"{name} {port}")
        self._port = port
        self._handover = Handover(inbox, self._over.is_set)
        self._state = ""
        self._pause = 0.5

    @abstractmethod
    def _use(self) -> None:
        """Open the wire, call `_opened`, and use it until the door is to end. Raises OSError when it is gone."""

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self._use()
            except OSError as error:
                self._log(f"{self._port}: {cause(error)}; retrying until it is back")
            self._over.wait(random.uniform(0.1, self._pause))
            self._pause = min(2 * self._pause, _LONGEST_S)

    def _opened(self) -> None:
        self._log(f"{self._port} is open")
        self._pause = 0.5

    def _log(self, sentence: str) -> None:
        """One line for each change."""
        if sentence != self._state:
            self._state = sentence
            log.warning(sentence)
