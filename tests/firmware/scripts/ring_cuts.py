"""Cuts the power at every step of a workload on the ring, and checks what is left. Runs on any interpreter.

    ring_cuts.py MODEL [MUTANT]

prints `cuts failures first-failure`. MUTANT breaks the ring on purpose; then the first failure ends the run.
"""

import sys

from firmware import lazy
from firmware.records import ring as ring_module
from firmware.records.ring import Ring
from nor import Nor, PowerCut

BLOCKS, SIZE, OPS = 5, 256, 70
lazy.unload = lambda *_: None  # memory is sufficient here, and rings are mounted repeatedly


class NoBlankTail(Ring):
    """Trusts a blank length word without looking behind it."""

    def _is_blank(self, block: int, off: int) -> bool:
        return off > 0 or Ring._is_blank(self, block, off)


class CursorAhead(Ring):
    """Its cursor steps over one record that waits."""

    def _first_unacked(self) -> int:
        number = Ring._first_unacked(self)
        return number + 1 if number < self.next else number


class EarlyFree(Ring):
    """Erases a live sector together with the spare one."""

    def _clear_ahead(self) -> None:
        Ring._clear_ahead(self)
        if self.newest - self.oldest >= self.sectors - 2:
            self.dev.ioctl(6, (self.newest + 2) % self.sectors)


class CountLate(Ring):
    """Counts what it drops only in memory, not in the new header."""

    def _open_next(self) -> None:
        before, unacked = self.dropped, self._unacked
        self._unacked = lambda sector: 0
        lost = unacked(self.oldest) if self.newest + 1 - self.oldest >= self.sectors - 1 else 0
        Ring._open_next(self)
        self._unacked = unacked
        self.dropped = before + lost


def no_payload_crc() -> type:
    """The check of a record is a constant."""
    ring_module._record_crc = lambda number, payload: 0
    return Ring


def no_header_crc() -> type:
    """A sector header needs only its magic."""
    whole = ring_module.struct.unpack

    def parse(buf: bytes) -> tuple | None:
        magic, number, first, dropped, _ = whole("<IIIII", buf)
        return (number, first, dropped) if magic == 0x43565231 else None

    ring_module.parse_sector_header = parse
    return Ring


MUTANTS = {
    "none": lambda: Ring,
    "no-payload-crc": no_payload_crc,
    "no-header-crc": no_header_crc,
    "no-blank-tail": lambda: NoBlankTail,
    "cursor-ahead": lambda: CursorAhead,
    "early-free": lambda: EarlyFree,
    "count-late": lambda: CountLate,
}


class State:
    """What the world knows at some moment: records stored, acknowledged, and what the ring said about itself."""

    def __init__(self) -> None:
        self.stored = {}
        self.acked = set()
        self.first = 0
        self.dropped = 0

    def copy(self) -> "State":
        """An independent copy."""
        other = State()
        other.stored, other.acked = dict(self.stored), set(self.acked)
        other.first, other.dropped = self.first, self.dropped
        return other


def choose(noise: Nor, ring: Ring) -> tuple:
    """The next operation: mostly an append of 1 to 60 bytes, now and then the ack of the oldest waiting record."""
    if noise.random() % 4 == 0 and ring.cursor < ring.next:
        return "ack", ring.cursor
    return "append", bytes([noise.random() & 255 for _ in range(1 + noise.random() % 60)])


def apply(ring: Ring, state: State, op: tuple) -> None:
    """Do an operation on the ring and in the world."""
    if op[0] == "append":
        state.stored[ring.append(op[1])] = op[1]
    else:
        ring.ack(op[1])
        state.acked.add(op[1])
    state.first, state.dropped = ring.first, ring.dropped


def faults(ring: Ring, before: State, after: State, op: tuple) -> list:
    """What is wrong with a ring that was mounted after a cut within `op`."""
    out = []
    flying = len(before.stored) if op[0] == "append" else -1
    if ring.first not in (before.first, after.first):
        out.append(f"first is {ring.first}")
    if ring.dropped not in (before.dropped, after.dropped):
        out.append(f"dropped is {ring.dropped}")
    if ring.next not in (len(before.stored), len(after.stored)):
        out.append(f"next is {ring.next}")
    if out:
        return out
    for number in range(ring.first, ring.next):
        wanted = op[1] if number == flying else before.stored.get(number)
        if ring.read(number) != wanted:
            out.append(f"record {number} lost or changed")
        elif number in before.acked and ring.pending(number):
            out.append(f"acknowledged record {number} came back")
        elif number not in after.acked and not ring.pending(number):
            out.append(f"record {number} is no longer waiting")
    waiting = [number for number in range(ring.first, ring.next) if ring.pending(number)]
    if ring.cursor != (waiting[0] if waiting else ring.next):
        out.append(f"cursor is {ring.cursor}")
    return out


def goes_on(kind: type, nor: Nor, ring: Ring) -> list:
    """The ring must take a record after the cut, and still have it after another start."""
    number = ring.append(b"after the cut")
    again = kind(nor)
    out = [] if again.read(number) == b"after the cut" and again.next == number + 1 else ["takes no new record"]
    return out + (["set a bit without an erase"] if nor.violations else [])


def cut_within(kind: type, model: str, flash: bytes, before: State, after: State, op: tuple, at: int) -> list:
    """Faults when the power fails at step `at` of an operation."""
    nor = Nor(BLOCKS, SIZE, model, at + 1)
    nor.data[:] = flash
    ring = kind(nor)
    nor.budget = at
    try:  # noqa: SIM105 (MicroPython has no contextlib)
        apply(ring, before.copy(), op)
    except PowerCut:
        pass
    nor.budget = None
    ring = kind(nor)
    return faults(ring, before, after, op) or goes_on(kind, nor, ring)


def run(kind: type, model: str, stop_at_first: bool) -> tuple:
    """Walk through the workload; return (cuts, failures, text of the first)."""
    nor = Nor(BLOCKS, SIZE, model)
    noise = Nor(1, 1, seed=7)
    ring, state = kind(nor), State()
    cuts, failures, text = 0, 0, ""
    for _ in range(OPS):
        op, flash, before = choose(noise, ring), bytes(nor.data), state.copy()
        nor.steps = 0
        apply(ring, state, op)
        for at in range(nor.steps):
            found = cut_within(kind, model, flash, before, state, op, at)
            cuts += 1
            failures += bool(found)
            text = text or (found[0] if found else "")
            if found and stop_at_first:
                return cuts, failures, text
    return cuts, failures, text


if __name__ == "__main__":
    mutant = sys.argv[2] if len(sys.argv) > 2 else "none"
    try:
        print(*run(MUTANTS[mutant](), sys.argv[1], mutant != "none"))
    except (IndexError, ValueError, TypeError, OverflowError, AssertionError) as err:
        print(1, 1, "crashed:", repr(err))
