"""What stands for a pulse counter on the unix port."""

import select

from .virtual import open_line


class Pulses:
    """Counts edges: each byte that arrives on the line is one pulse."""

    def __init__(self, path):
        self._file = open_line(path)
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)
        self._count = 0

    def count(self):
        """Pulses since the start."""
        while self._poll.poll(0):
            data = self._file.read(64)
            if not data:
                break
            self._count += len(data)
        return self._count
