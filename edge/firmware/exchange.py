"""Exchanges the firmware images of two partitions, `romfs` and `romfs_b`, sector by sector. It survives a power cut
at any point.

MicroPython maps the partition `romfs` alone, so a new image must go there, and the old one stays in the other for a
rollback: the same exchange back. The partition `swap` has two sectors: a journal and room for one sector. For each
sector: copy A to the room, B to A, the room to B; each step is marked in the journal when it is complete, and one that
is not is done again from a source that is still whole. A journal that is complete stays: it says which exchange was
the last.

Like the loader it is flashed once and never updated over the air.
"""

from binascii import crc32

_HEAD = 20  # bytes: magic 4, name 8, sectors 2 (big end first), unused 2, CRC-32 of these 4
_MAGIC = b"XCH1"
_STEPS = 3


def head(name, sectors):
    """The first bytes of the journal of an exchange; `name`: 8 bytes."""
    body = _MAGIC + name + bytes((sectors >> 8, sectors & 255, 0, 0))
    return body + crc32(body).to_bytes(4, "big")


class Exchange:
    """`a`, `b`, `swap` are block devices of one sector a block, as `esp32.Partition`."""

    def __init__(self, a, b, swap):
        self.a, self.b, self.swap = a, b, swap
        self._buf = bytearray(swap.ioctl(5, 0))

    def journal(self):
        """(name, sectors, steps done); (b"", 0, 0) where there is none."""
        data = bytearray(_HEAD)
        self.swap.readblocks(0, data, 0)
        sectors = data[12] << 8 | data[13]
        if bytes(data) != head(bytes(data[4:12]), sectors):
            return b"", 0, 0
        marks = bytearray(sectors * _STEPS)
        self.swap.readblocks(0, marks, _HEAD)
        done = 0
        while done < len(marks) and marks[done] != 0xFF:
            done += 1
        return bytes(data[4:12]), sectors, done

    def run(self, name, sectors):
        """Do the exchange of this name unless it was the last; one that was interrupted is completed first."""
        last, count, done = self.journal()
        if last and done < count * _STEPS:
            self._go_on(count, done)
        if last == name:
            return
        self.swap.writeblocks(0, bytes(_HEAD), 0)  # a journal that is erased by half must not look like a whole one
        self.swap.ioctl(6, 0)
        self.swap.writeblocks(0, head(name, sectors), 0)
        self._go_on(sectors, 0)

    def unfinished(self):
        """Whether an exchange was interrupted."""
        _, sectors, done = self.journal()
        return done < sectors * _STEPS

    def resume(self):
        """Complete it."""
        _, sectors, done = self.journal()
        self._go_on(sectors, done)

    def _go_on(self, sectors, done):
        for step in range(done, sectors * _STEPS):
            number, part = step // _STEPS, step % _STEPS
            if part == 0:
                self._copy(self.a, number, self.swap, 1)
            elif part == 1:
                self._copy(self.b, number, self.a, number)
            else:
                self._copy(self.swap, 1, self.b, number)
            self.swap.writeblocks(0, b"\0", _HEAD + step)

    def _copy(self, source, at, target, to):
        source.readblocks(at, self._buf, 0)
        target.ioctl(6, to)
        target.writeblocks(to, self._buf, 0)
