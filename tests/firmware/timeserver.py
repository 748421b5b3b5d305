"""An SNTP server for tests: right, silent, or lying; and a clock that runs faster than the world's."""

import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

FROM_1900 = 2208988800


class FastClock:
    """Unix time that runs `speed` times as fast from now on."""

    def __init__(self, speed: int, origin: float = 0) -> None:
        self.speed = speed
        self.origin = origin or time.time()

    @property
    def name(self) -> str:
        """For `clock_of`, in another process."""
        return f"{self.speed}:{self.origin!r}"

    def __call__(self) -> float:
        """The time now."""
        return self.origin + (time.time() - self.origin) * self.speed


class NodeClock:
    """The time of a node that leaps (`scripts/leap_node.py`): what the file says that it shares with its world."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        """For `clock_of`, in another process."""
        return str(self.path)

    def __call__(self) -> float:
        """The time now."""
        return float(struct.unpack("<Q", self.path.read_bytes()[:8])[0]) / 1000

    def set(self, now: float, until: float) -> None:
        """Begin at a time; leap until another."""
        self.path.write_bytes(struct.pack("<QQ", round(now * 1000), round(until * 1000)))

    def leap(self, until: float) -> None:
        """Let the node leap to a time."""
        with self.path.open("r+b") as file:
            file.seek(8)
            file.write(struct.pack("<Q", round(until * 1000)))


def clock_of(name: str) -> Callable[[], float]:
    """The clock that another process calls so."""
    speed, colon, origin = name.partition(":")
    return FastClock(int(speed), float(origin)) if colon else NodeClock(Path(name))


class TimeServer:
    """Answers on a free UDP port with the time of `clock`; `silent` and `shift_s` may be changed at any time."""

    def __init__(self, clock: Callable[[], float] = time.time, silent: bool = False, shift_s: float = 0) -> None:
        self.clock = clock
        self.silent = silent
        self.shift_s = shift_s
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self.name = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._over = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over:
            try:
                question, sender = self._socket.recvfrom(100)
            except TimeoutError:
                continue
            self.asked += 1
            if not self.silent:
                self._socket.sendto(self._answer(question), sender)

    def _answer(self, question: bytes) -> bytes:
        now = self.clock() + self.shift_s + FROM_1900
        stamp = struct.pack(">II", int(now) & 0xFFFFFFFF, int(now % 1 * 2**32))
        return b"\x24\x01\x06\xec" + bytes(12) + stamp + question[40:48] + stamp + stamp

    def close(self) -> None:
        """Stop answering."""
        self._over = True
        self._thread.join()
        self._socket.close()

    def __enter__(self) -> "TimeServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
