"""The node about itself: free memory, uptime, resets, signal, ring and clock, as ordinary quantities."""

import gc


class Health:
    """Stores one health record at a fixed pace, the first one soon after the start."""

    def __init__(self, board, journal, period_s, cause):
        self.board = board
        self.journal = journal
        self.period_ms = period_s * 1000
        self.cause = cause
        self.beat = lambda: None

    def values(self):
        """The state now; what the board does not know is left out."""
        clock, ring = self.journal.clock, self.journal.ring
        gc.collect()
        out = [
            ("uptime", self.board.ticks_ms() // 1000, 0),
            ("boots", self.journal.boot, 0),
            ("reset_cause", self.cause, 0),
            ("ring_fill", ring.fill, 0),
            ("ring_dropped", ring.dropped, 0),
        ]
        if hasattr(gc, "mem_free"):
            out.append(("heap_free", gc.mem_free(), 0))
        if clock.synced:
            out.append(("clock_offset", clock.offset_ms, 3))
        rssi = self.board.rssi()
        if rssi is not None:
            out.append(("rssi", rssi, 0))
        return out

    async def run(self):
        """Report for ever."""
        while True:
            self.journal.store(self.values())
            left = self.period_ms
            while left > 0:
                self.beat()
                await self.board.sleep_ms(min(left, 10000))
                left -= 10000
