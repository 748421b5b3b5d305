"""A serial line: one end is a device model in a thread, the other a pseudo-terminal that firmware opens."""

import contextlib
import os
import random
import select
import threading
import time
import tty
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Faults:
    """What is wrong with a line; fields may be changed while the model runs."""

    piece: int = 0  # bytes that leave together; 0 sends a frame whole
    pause_s: float = 0.005  # between two pieces
    noise: int = 0  # random bytes in front of a frame, at most
    corrupt_every: int = 0  # every n-th frame has one bit flipped
    silent: bool = False
    rng: random.Random = field(default_factory=lambda: random.Random(1))

    def spoil(self, frame: bytes, number: int) -> bytes:
        """Return the bytes that appear on the wire for frame `number`."""
        if self.corrupt_every and number % self.corrupt_every == 0:
            bad = bytearray(frame)
            bad[self.rng.randrange(len(bad))] ^= 1 << self.rng.randrange(8)
            frame = bytes(bad)
        return self.rng.randbytes(self.rng.randint(0, self.noise)) + frame


class Line:
    """A model's end of a pty; `path` is what the firmware opens and survives unplugging (a symbolic link)."""

    def __init__(self, path: Path, faults: Faults | None = None) -> None:
        self.path = path
        self.faults = faults or Faults()
        self.sent = 0
        self._fds: tuple[int, int] | None = None
        self._lock = threading.Lock()
        self.plug()

    def plug(self) -> None:
        """Connect the device."""
        with self._lock:
            if self._fds is None:
                self._fds = os.openpty()
                tty.setraw(self._fds[1])
                os.set_blocking(self._fds[0], False)
                self.path.unlink(missing_ok=True)
                self.path.symlink_to(os.ttyname(self._fds[1]))

    def unplug(self) -> None:
        """Pull the plug: the firmware's end reports an error or end of file."""
        with self._lock:
            fds, self._fds = self._fds, None
            self.path.unlink(missing_ok=True)
            for fd in fds or ():
                os.close(fd)

    def send(self, frame: bytes) -> None:
        """Put a frame on the wire with the line's faults; bytes that are not read are lost, as in a real UART."""
        if self.faults.silent:
            return
        self.sent += 1
        data = self.faults.spoil(frame, self.sent)
        step = self.faults.piece or len(data)
        for start in range(0, len(data), step):
            self._write(data[start : start + step])
            if self.faults.piece:
                time.sleep(self.faults.pause_s)

    def _write(self, data: bytes) -> None:
        with self._lock:
            if self._fds:
                with contextlib.suppress(BlockingIOError):
                    os.write(self._fds[0], data)

    def receive(self, timeout_s: float = 0.2) -> bytes:
        """Return what the firmware has written, or nothing after the timeout."""
        fds = self._fds
        if fds is None:
            time.sleep(timeout_s)
            return b""
        try:
            ready = select.select([fds[0]], [], [], timeout_s)[0]
            return os.read(fds[0], 512) if ready else b""
        except (OSError, ValueError):
            return b""


class Device:
    """A model on its own line: `step` is called again and again until `stop`."""

    def __init__(self, path: Path, faults: Faults | None = None) -> None:
        self.line = Line(path, faults)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Start the model."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the model and pull the plug."""
        self._over.set()
        self._thread.join()
        self.line.unplug()

    def rest(self, seconds: float) -> None:
        """Wait, but not longer than the model lives."""
        self._over.wait(seconds)

    def step(self) -> None:
        """Do the next thing; must return within about a second."""
        raise NotImplementedError

    def _run(self) -> None:
        while not self._over.is_set():
            self.step()
