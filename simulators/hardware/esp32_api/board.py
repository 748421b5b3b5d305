"""The board that the other modules here are the interface of: its chip, what is wired to it, and its crash."""

import json
import os
import select
import sys

from chips import CHIPS


class Crash(BaseException):
    """A real board would reset, hang or read nonsense here."""


def world() -> object:
    """The description of the board as it is now; it may be changed from outside while the board runs."""
    with open(os.getenv("ESP32_BOARD")) as f:
        return json.load(f)


WORLD = world()
CHIP = CHIPS[WORLD["chip"]]
VERSION = tuple(WORLD.get("version", (1, 26)))
POWERED = {}  # what is in use: (kind, number) or ("pin", number)


def crash(why) -> object:
    """Print why, and end what runs."""
    sys.stderr.write("CRASH " + why + "\n")
    raise Crash(why)


def claim(pin, what) -> object:
    """A peripheral takes a pin."""
    taken = CHIP["flash"] + (CHIP["octal"] if WORLD.get("octal") else ())
    if pin in taken:
        crash("GPIO%d belongs to the flash or PSRAM; %s took it" % (pin, what))
    other = POWERED.get(("pin", pin))
    if other and other not in (what, "output"):  # a pin that was set by hand is given to the peripheral
        crash("GPIO%d is used by %s and %s" % (pin, other, what))
    POWERED[("pin", pin)] = what


def open_line(path) -> object:
    """Open a pty without blocking reads."""
    import ffi

    line = open(path, "r+b", buffering=0)
    ffi.open(None).func("i", "fcntl", "iii")(line.fileno(), 4, 2048)
    return line


class Wire:
    """Bytes from outside; `read` returns what is waiting."""

    def __init__(self, path) -> None:
        self.file = open_line(path) if path else None
        self.poll = select.poll()
        if self.file:
            self.poll.register(self.file, select.POLLIN)

    def read(self, most=4096, wait_ms=0) -> object:
        """What is waiting; empty where nothing is, or nothing is connected."""
        if self.file is None:
            return b""
        out = b""
        while len(out) < most:
            ready = self.poll.poll(0 if out else wait_ms)
            if not ready or ready[0][1] & (select.POLLHUP | select.POLLERR):
                break
            part = self.file.read(min(256, most - len(out)))
            if not part:
                break
            out += part
        return out

    def write(self, data) -> object:
        """To the other end, if there is one."""
        if self.file is not None:
            self.file.write(data)
