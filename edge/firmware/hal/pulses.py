"""A pulse counter of the unix port, for tests."""

import select

from . import counters


class _Line:
    """Each byte that arrives on the line is one pulse."""

    def __init__(self, file):
        self._file = file
        self._poll = select.poll()
        self._poll.register(file, select.POLLIN)
        self._count = 0

    def value(self):
        """Since the start."""
        while self._poll.poll(0):
            data = self._file.read(64)
            if not data:
                break
            self._count += len(data)
        return self._count


class Pulses(counters.Pulses):
    """Counts on a line; each read saves the total over a reset."""

    def __init__(self, board, pin, file):
        counters.Pulses.__init__(self, board, pin, _Line(file))

    def count(self):
        """Pulses since power-on."""
        now = counters.Pulses.count(self)
        self.keep_total(now)
        return now

    def keep_total(self, now):
        """Note the total."""
        if now != self._kept:
            counters.rtc_memory.put(self._board, self._name, counters.struct.pack("<Q", now))
            self._kept = now
