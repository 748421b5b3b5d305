"""A board on a USB serial port: its console on a pseudo-terminal, its file system in a folder.

What a tool sends is executed by a real MicroPython (unix port) that runs `board_repl.py`. A reset (exit status 75)
starts it again, as hardware would. `main.py` is not started: run the node itself on the same folder for that.
"""

import contextlib
import os
import subprocess
import threading
import tty
from pathlib import Path

REPL = Path(__file__).with_name("board_repl.py")
RESET = 75


class Board:
    """Use as a context manager; `port` is what a tool opens. `silent`: plugged in, but without an answer."""

    def __init__(self, folder: Path, micropython: Path, silent: bool = False) -> None:
        self.folder, self.silent = folder, silent
        self.port = ""
        self.starts = 0
        self._command = [str(micropython), str(REPL)]
        self._over = False
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Board":
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        self.port = os.ttyname(self._theirs)
        if not self.silent:
            self._start()
            self._keeper = threading.Thread(target=self._keep, daemon=True)
            self._keeper.start()
        return self

    def _start(self) -> None:
        self.starts += 1
        finds_its_own = {**os.environ, "MICROPYPATH": ".frozen:."}
        self._process = subprocess.Popen(
            self._command, stdin=self._ours, stdout=self._ours, cwd=self.folder, env=finds_its_own
        )

    def _keep(self) -> None:
        while self._process and self._process.wait() == RESET and not self._over:
            self._start()

    def __exit__(self, *_: object) -> None:
        self._over = True
        if self._process:
            while self._keeper.is_alive():  # which may be starting the next one just now
                self._process.kill()
                self._keeper.join(0.05)
        for end in (self._ours, self._theirs):
            with contextlib.suppress(OSError):
                os.close(end)
