"""The node's own readings: free memory, uptime, resets, signal, ring and clock, as ordinary quantities."""

import gc


class Health:
    """Stores one health record at a fixed pace, the first one at once."""

    def __init__(self, board, journal, health_s, cause):
        self.board = board
        self.journal = journal
        self.period_ms = health_s * 1000
        self.cause = cause
        self._due = 0

    def values(self):
        """The state now; what the board cannot report is left out."""
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
        for name, value, decimals in (("rssi", self.board.rssi(), 0), ("battery", self.board.battery_mv(), 3)):
            if value is not None:
                out.append((name, value, decimals))
        return out

    def tick(self):
        """Store a record when one is due."""
        now = self.board.ticks_ms()
        if now >= self._due:
            self._due = now + self.period_ms
            self.journal.store(self.values())
