"""Gives each record its identity (boot, sequence) and its time, and puts it on flash."""

from . import files, record


def next_boot(ring, path):
    """Return a boot number that was never used: one more than the file and the newest record on flash say."""
    last = files.load(path) or 0
    newest = ring.read(ring.next - 1)
    if newest:
        last = max(last, record.identity(newest)[0])
    files.save(path, last + 1)
    return last + 1


class Journal:
    """Everything a node has to tell passes here once."""

    def __init__(self, ring, clock, boot):
        self.ring = ring
        self.clock = clock
        self.boot = boot
        self.seq = 0
        self.stored = lambda: None

    def store(self, values, up=None):
        """Store readings taken now, or at an uptime given in seconds; nothing is stored when there are none."""
        if values:
            self._put(record.READINGS, values, self.clock.uptime() if up is None else up)

    def store_session(self, values, key, line, up):
        """Store a charging session that ends now; it began at `up` seconds on an uptime line."""
        clock = self.clock
        if self.boot - line > 255:
            line, up = clock.line, 0
        end, began = clock.now(), clock.unix(line, up)
        # Across a loss of power the length is only known when both lines have their true time.
        duration = end - began if end and began else clock.uptime() - (up if line == clock.line else 0)
        self._put(record.SESSION, values, up, line, key, max(0, duration))

    def _put(self, kind, values, up, line=None, key="", duration=0):
        clock = self.clock
        line = clock.line if line is None else line
        time = clock.unix(line, up) if clock.synced else 0
        rec = record.Record(kind, line, self.boot, self.seq, up, time or 0, values, key, duration)
        self.seq += 1
        self.ring.append(record.encode(rec))
        self.stored()
