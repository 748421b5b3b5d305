"""A short queue between the connection, which must not wait, and a task that may."""

import asyncio

PATIENCE_MS = 10000


class Inbox:
    """Holds at most `room` messages; one more is refused, so that a flood cannot fill the memory."""

    def __init__(self, board, room=8):
        self.board = board
        self.room = room
        self.refused = 0
        self._items = []
        self._new = asyncio.Event()

    def put(self, item):
        """Add a message; False when there is no room."""
        if len(self._items) >= self.room:
            self.refused += 1
            return False
        self._items.append(item)
        self._new.set()
        return True

    async def get(self, beat, patience_ms=None):
        """Return the next message, calling `beat` while waiting; None after `patience_ms`, if that is given."""
        left = patience_ms
        while not self._items:
            beat()
            if left is not None and left <= 0:
                return None
            self._new.clear()
            step = PATIENCE_MS if left is None else min(left, PATIENCE_MS)
            try:
                await self.board.within(self._new.wait(), step)
            except asyncio.TimeoutError:
                left = None if left is None else left - step
        return self._items.pop(0)
