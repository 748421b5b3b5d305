"""A door with a thread of its own: it starts, and ends with the gateway."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod

log = logging.getLogger(__name__)

_AGAIN_S = 5.0


class ThreadedDoor(ABC):
    """`name`: of the thread. What was not acknowledged when the door ends, its sender or its file still has."""

    def __init__(self, name: str) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._survive, name=name, daemon=True)

    def start(self) -> None:
        """Begin; the other side may come later."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _survive(self) -> None:
        """Begin again after a fault: without this thread the gateway would seem to run and receive nothing."""
        while not self._over.is_set():
            try:
                self._run()
            except Exception:  # no fault of one message may end the door
                log.exception("%s failed and begins again", self._thread.name)
                self._over.wait(_AGAIN_S)

    @abstractmethod
    def _run(self) -> None:
        """Receive until `_over` is set."""
