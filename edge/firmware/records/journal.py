"""Gives each record its identity (boot, sequence) and its time, and puts it on flash."""

from . import record


class Journal:
    """The one place where records are numbered and stored."""

    def __init__(self, ring, clock, boot):
        self.ring = ring
        self.clock = clock
        self.boot = boot
        self.seq = 0
        self.stored = lambda: None

    def store(self, values, up=None, time=0):
        """Store readings taken now, or at an uptime in tenths of a second; nothing is stored when there are none.

        `time`: that of a meter with a clock of its own, in tenths of a unix second.
        """
        if values:
            self.put(record.READINGS, values, self.clock.tenths() if up is None else up, None, "", 0, time)

    def put(self, kind, values, up, line=None, key="", duration=0, time=0):
        """Store one record of any kind."""
        clock = self.clock
        line = clock.line if line is None else line
        if not time:
            time, quality = clock.dated(line, up)
            time = time if quality == 2 else 0  # an estimated time may be confirmed when the record is sent
        rec = record.Record(kind, line, self.boot, self.seq, up, time or 0, values, key, duration)
        self.seq += 1
        self.ring.append(record.encode(rec))
        self.stored()
