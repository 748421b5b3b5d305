"""A NOR flash that loses power: programming clears bits, erasing takes 64 steps, and either may be cut anywhere.

Three models of an interrupted operation:
- `order`: what came before the cut is done, the rest untouched;
- `torn`: a random part of the remaining bits is done as well, erasing drifts anywhere in the block;
- `late`: of a program call the first word arrives last, so that a record may stand behind a blank length.

Runs on MicroPython too: the ring is tested where it lives.
"""

ERASE_STEPS = 64


class PowerCut(Exception):
    """The power failed; the flash keeps what had happened until then."""


class Nor:
    """A block device with byte offsets. `budget` is how many steps are left until the cut (None: no cut)."""

    def __init__(self, blocks: int, size: int, model: str = "order", seed: int = 1) -> None:
        self.blocks = blocks
        self.size = size
        self.model = model
        self.data = bytearray(b"\xff" * (blocks * size))
        self.budget: int | None = None
        self.steps = 0
        self.erases = 0
        self.programmed = 0
        self.violations = 0
        self._noise = seed

    def random(self) -> int:
        """Sixteen bits that are the same on every interpreter and word size."""
        self._noise = (self._noise * 1103515245 + 12345) & 0x7FFFFFFF
        return self._noise >> 8 & 0xFFFF

    def _step(self) -> bool:
        self.steps += 1
        if self.budget is None:
            return True
        self.budget -= 1
        return self.budget >= 0

    def readblocks(self, block: int, buf: bytearray, offset: int = 0) -> None:
        """Fill `buf`."""
        start = block * self.size + offset
        buf[:] = self.data[start : start + len(buf)]

    def writeblocks(self, block: int, data: bytes, offset: int = 0) -> None:
        """Program bytes; setting a bit that is 0 counts as a violation and does nothing."""
        start = block * self.size + offset
        if offset + len(data) > self.size:
            raise ValueError("program call beyond the end of the block")
        places = list(range(len(data)))
        if self.model == "late":
            places = places[2:] + places[:2]
        for done, i in enumerate(places):
            if not self._step():
                if self.model == "torn":
                    self._tear(start, data, places[done:])
                raise PowerCut
            self.violations += data[i] & ~self.data[start + i] != 0
            self.data[start + i] &= data[i]
            self.programmed += 1

    def _tear(self, start: int, data: bytes, places: list[int]) -> None:
        for i in places:
            self.data[start + i] &= data[i] | self.random() & 255

    def ioctl(self, op: int, arg: int) -> int:
        """4: number of blocks, 5: block size, 6: erase."""
        if op == 6:
            self._erase(arg)
        return {4: self.blocks, 5: self.size}.get(op, 0)

    def _erase(self, block: int) -> None:
        start, part = block * self.size, self.size // ERASE_STEPS or 1
        self.erases += 1
        for at in range(start, start + self.size, part):
            if not self._step():
                if self.model == "torn":
                    self._drift(start)
                raise PowerCut
            self.data[at : at + part] = b"\xff" * part

    def _drift(self, start: int) -> None:
        for i in range(start, start + self.size):
            self.data[i] |= self.random() & 255
