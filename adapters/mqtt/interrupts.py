"""What ends the waiting for messages besides messages: a signal, so that a program need not look for it meanwhile."""

from __future__ import annotations

from typing import Protocol


class Waitable(Protocol):
    """Something beside the links that `wait` watches: it is readable when there is something to do."""

    def fileno(self) -> int:
        """For select."""
        ...


INTERRUPTS: list[Waitable] = []  # `wait` returns where one of them is readable
