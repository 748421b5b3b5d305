"""The event log: every change of state and every fault, on the console at once and at the broker later.

Bounded: the newest lines are kept, also over a reset (the file is written at most once a minute). Faults are dropped
last. A line that repeats the last one of the same part is not a change and is left out.
"""

import io
import sys

from micropython import const

from . import files

_KEPT = const(16)
_TEXT_MAX = const(120)
_TRACE_MAX = const(400)
_SAVE_MS = const(60000)


def traceback(err):
    """Return the trace of an exception, short enough for a message."""
    if not hasattr(sys, "print_exception"):
        return repr(err)
    out = io.StringIO()
    sys.print_exception(err, out)  # pyright: ignore
    return out.getvalue()[-_TRACE_MAX:]  # pyright: ignore (the stubs know no StringIO)


def reason(err):
    """An exception as a short text: its sentence where it has one, else its kind and number."""
    args = err.args
    for arg in reversed(args):
        if isinstance(arg, str) and arg.strip():
            return " ".join(arg.split())  # those of the TLS library have line ends
    return "%s %s" % (type(err).__name__, args[0]) if args else type(err).__name__


class EventLog:
    """Entries `[boot, uptime, part, text, whether it is a fault]`."""

    def __init__(self, board, boot):
        self.board = board
        self.boot = boot
        self.dropped = 0
        self._path = board.state + "/events"
        self.entries = files.load(self._path) or []
        self._last = {}
        self._dirty = False
        self._saved_at = -_SAVE_MS

    def say(self, part, text):
        """Note a change of state."""
        if self._last.get(part) == text:
            return
        self._last[part] = text
        self._note(part, text[:_TEXT_MAX], False)

    def add(self, part, what):
        """Note a fault: an exception or a sentence. It is saved at once."""
        text = what if isinstance(what, str) else traceback(what)
        if self.entries and self.entries[-1][0] == self.boot and self.entries[-1][2:4] == [part, text]:
            return
        self._note(part, text, True)
        self.save()

    def _note(self, part, text, fault):
        up = (self.board.ticks_ms() + 500) // 1000
        print("[%d] %s: %s" % (up, part, text))
        if len(self.entries) >= _KEPT:
            old = [entry for entry in self.entries if not entry[4]]
            self.entries.remove(old[0] if old else self.entries[0])
            self.dropped += 1
        self.entries.append([self.boot, up, part, text, fault])
        self._dirty = True

    def delivered(self, entry):
        """An entry has arrived at the broker."""
        self.entries = [other for other in self.entries if other is not entry]
        self._dirty = True

    def tick(self):
        """Save now and then what is new."""
        if self._dirty and self.board.ticks_ms() - self._saved_at >= _SAVE_MS:
            self.save()

    def save(self):
        """Write the entries to their file."""
        self._dirty, self._saved_at = False, self.board.ticks_ms()
        try:
            files.save(self._path, self.entries)
        except MemoryError:
            pass  # a full heap must not turn a report into a second fault
