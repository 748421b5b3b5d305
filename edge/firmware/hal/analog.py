"""A substitute for an analog input on the unix port."""

import select

from .virtual import open_line


class Analog:
    """Asks the model at the other end with one byte; the answer is a voltage at the pin in microvolts, 4 bytes."""

    def __init__(self, path):
        self._file = open_line(path)
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)

    def read_uv(self):
        """Measure, as machine.ADC does."""
        self._file.write(b"?")
        reply = b""
        while len(reply) < 4:
            part = self._file.read(4 - len(reply)) if self._poll.poll(1000) else None
            if not part:
                raise OSError(110)
            reply += part
        return int.from_bytes(reply, "little")
