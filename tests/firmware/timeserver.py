"""An SNTP server for tests: right, silent, or lying; and a clock that runs faster than the world's."""

import socket
import struct
import threading
import time
from collections.abc import Callable

FROM_1900 = 2208988800


class FastClock:
    """Unix time that runs `speed` times as fast from now on."""

    def __init__(self, speed: int, origin: float = 0) -> None:
        self.speed = speed
        self.origin = origin or time.time()

    def __call__(self) -> float:
        """The time now."""
        return self.origin + (time.time() - self.origin) * self.speed


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
