"""A node whose time leaps: while it only waits, its clock jumps to the next thing that is due. Runs on MicroPython.

leap_node.py FOLDER

The file `truth` in the folder holds two u64: the true time (unix ms), which the node writes and its world reads, and
the time at which leaping ends, which the world writes; from then on time passes as usual. The true time stands still
while the node is off.
"""

import asyncio
import struct
import sys
import time
from asyncio import core  # pyright: ignore (the stubs lack it)

from firmware.app import Node
from firmware.hal import Board

IO_MS = 20  # so long, of real time, somebody who is waited for may take to answer


class LeapingBoard(Board):
    """A board in the folder's true time."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.file = open(root + "/truth", "r+b", buffering=0)  # noqa: SIM115, PTH123
        self.began = struct.unpack("<Q", self.file.read(8))[0]
        self.switched_on = time.ticks_ms()
        self.leapt = 0

    def ticks_ms(self) -> int:
        """Since the start, with all leaps."""
        return time.ticks_ms() + self.leapt - self.switched_on  # pyright: ignore

    def rtc_ms(self) -> int:
        """The true time."""
        return self.began + self.ticks_ms()

    def left_ms(self) -> int:
        """Write the time for the test; return how far it may leap."""
        now = self.rtc_ms()
        self.file.seek(0)
        self.file.write(struct.pack("<Q", now))
        return struct.unpack("<Q", self.file.read(8))[0] - now


board = LeapingBoard(sys.argv[1])
wait = core.IOQueue.wait_io_event


def wait_or_leap(queue: object, ms: int) -> None:
    """In the place of the event loop's own wait."""
    left = board.left_ms()
    if ms <= 0 or left <= 0:
        wait(queue, min(ms, IO_MS))  # and look again how far it may leap
        return
    wait(queue, IO_MS if queue.map else 0)  # pyright: ignore
    first = core._task_queue.peek()
    ahead = time.ticks_diff(first.ph_key, core.ticks()) if first else 0
    if ahead > 0:
        board.leapt += min(ahead, left)
        board.left_ms()


core.IOQueue.wait_io_event = wait_or_leap
core.ticks = lambda: time.ticks_ms() + board.leapt  # pyright: ignore
asyncio.run(Node(board).run())
