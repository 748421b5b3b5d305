"""What went wrong, kept over a reset until it has been told."""

import io
import sys

from micropython import const

from . import files

_KEPT = const(4)


def traceback(err):
    """Return the trace of an exception, short enough for a message."""
    if not hasattr(sys, "print_exception"):
        return repr(err)
    out = io.StringIO()
    sys.print_exception(err, out)  # pyright: ignore
    return out.getvalue()[-400:]  # pyright: ignore (the stubs know no StringIO)


class CrashLog:
    """The last few faults: `[boot, uptime, who, what]`; equal ones in a row are stored once to spare the flash."""

    def __init__(self, path, boot, uptime):
        self.path = path
        self.boot = boot
        self.uptime = uptime
        self.entries = files.load(path) or []

    def add(self, who, what):
        """Note a fault: an exception or a sentence."""
        text = what if isinstance(what, str) else traceback(what)
        if self.entries and self.entries[-1][0] == self.boot and self.entries[-1][2:] == [who, text]:
            return
        self.entries = self.entries[1 - _KEPT :] + [[self.boot, self.uptime(), who, text]]
        self._save()

    def told(self, entry):
        """An entry has been delivered."""
        self.entries = [other for other in self.entries if other is not entry]
        self._save()

    def _save(self):
        try:
            files.save(self.path, self.entries)
        except (OSError, MemoryError):
            pass  # a full file system or heap must not turn a report into a second fault
