"""A door with a thread of its own: it starts, and ends with the gateway."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod


class ThreadedDoor(ABC):
    """`name`: of the thread. What was not acknowledged when the door ends, its sender or its file still has."""

    def __init__(self, name: str) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; the other side may come later."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(5)

    @abstractmethod
    def _run(self) -> None:
        """Receive until `_over` is set."""
