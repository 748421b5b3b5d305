"""Store-and-forward ring on a raw NOR partition: what `append` returned for survives a power cut at any byte.

The partition is a circle of sectors; sector number s lives in block s mod N, so wear is level by construction.

    sector: magic u32 | sector number u32 | first record u32 | dropped u32 | crc32 of the 16 bytes before
    record: length u16 | state u8 | 0xFF | crc32 of (record number, length, payload) | payload

One sector always stands erased ahead of the newest. The header of a new sector counts the records that its opening
will evict *before* they are erased, so a loss is counted even if power fails half way. A record is acknowledged by
programming its state byte to 0 (NOR clears bits without an erase) and stays readable until its sector is reused.
"""

import binascii
import struct
from array import array

from micropython import const

from .. import lazy

_MAGIC = const(0x43565231)
_SECTOR = const("<IIIII")
SECTOR_LEN = const(20)
_RECORD = const("<HBBI")
RECORD_LEN = const(8)
BLANK = const(0xFFFF)


def _record_crc(number, payload):
    return binascii.crc32(payload, binascii.crc32(struct.pack(b"<IH", number, len(payload))))


def sector_header(number, first, dropped):
    """Return the 20 header bytes of a sector."""
    head = struct.pack(b"<IIII", _MAGIC, number, first, dropped)
    return head + struct.pack(b"<I", binascii.crc32(head))


def parse_sector_header(buf):
    """Return (sector number, first record, dropped), or None when the header is not whole."""
    magic, number, first, dropped, crc = struct.unpack(_SECTOR, buf)
    if magic != _MAGIC or binascii.crc32(buf[:16]) != crc:
        return None
    return number, first, dropped


class Ring:
    """Records are named by a running number; `first <= number < next` may still be readable.

    `dev` is a block device with byte offsets: readblocks, writeblocks (programs, no erase), ioctl 4, 5 and 6.
    """

    def __init__(self, dev):
        self.dev = dev
        self.sectors = dev.ioctl(4, 0)
        self.size = dev.ioctl(5, 0)
        self.starts = array("I", [0] * self.sectors)
        self.counts = array("H", [0] * self.sectors)
        self._hint = (-1, 0)
        self.newest = self.oldest = self.cursor = self.next = self.tail = self.dropped = 0
        lazy.load("records.mount").mount(self)
        lazy.unload("records.mount")

    # ---- sectors ----

    def _is_blank(self, block, off):
        buf = bytearray(64)
        while off < self.size:
            part = memoryview(buf)[: min(64, self.size - off)]
            self.dev.readblocks(block, part, off)
            if bytes(part).strip(b"\xff"):
                return False
            off += len(part)
        return True

    def _write_header(self, number):
        head = sector_header(number, self.next, self.dropped)
        self.dev.writeblocks(number % self.sectors, head, 0)
        self.tail = SECTOR_LEN

    def _clear_ahead(self):
        """Leave the sector after the newest erased, for the next opening."""
        block = (self.newest + 1) % self.sectors
        if not self._is_blank(block, 0):
            self.dev.ioctl(6, block)

    def _open_next(self):
        number = self.newest + 1
        evict = number - self.oldest >= self.sectors - 1
        if evict:
            self.dropped += self._unacked(self.oldest)
        block = number % self.sectors
        self.tail = self.size
        self._write_header(number)
        self.newest = number
        self.starts[block] = self.next
        self.counts[block] = 0
        if evict:
            self.oldest += 1
            self.cursor = max(self.cursor, self.first)
        self._clear_ahead()

    def _unacked(self, sector):
        return sum(1 for number in self._numbers(sector) if self.pending(number))

    def _numbers(self, sector):
        block = sector % self.sectors
        return range(self.starts[block], self.starts[block] + self.counts[block])

    # ---- records ----

    @property
    def first(self):
        """The oldest record number that may still be readable."""
        return self.starts[self.oldest % self.sectors]

    @property
    def fill(self):
        """Share of the ring that waits for an acknowledgement, in percent."""
        span = self.newest - self._sector_of(self.cursor) + 1 if self.cursor < self.next else 0
        return span * 100 // (self.sectors - 1)

    def append(self, payload):
        """Store a record and return its number; it is on flash when this returns."""
        need = RECORD_LEN + len(payload)
        if need > self.size - SECTOR_LEN:
            raise ValueError("record longer than a sector")
        if self.tail + need > self.size:
            self._open_next()
        off, self.tail = self.tail, self.size  # should the write fail, this sector is closed
        head = struct.pack(_RECORD, len(payload), 0xFF, 0xFF, _record_crc(self.next, payload))
        block = self.newest % self.sectors
        self.dev.writeblocks(block, head + payload, off)
        self.tail = off + need
        self.counts[block] += 1
        self.next += 1
        return self.next - 1

    def read(self, number):
        """Return the payload of a record, or None when it was evicted or does not pass its check."""
        place = self._find(number)
        return self._read_at(place[0], place[1], number)[2] if place else None

    def pending(self, number):
        """True when the record is readable and not acknowledged."""
        place = self._find(number)
        if not place:
            return False
        _, state, payload = self._read_at(place[0], place[1], number)
        return payload is not None and state != 0

    def ack(self, number):
        """Mark a record as delivered; it stays readable until its sector is reused."""
        place = self._find(number)
        if place:
            self.dev.writeblocks(place[0], b"\0", place[1] + 2)
        if number == self.cursor:
            self.cursor = self._first_unacked()

    def _first_unacked(self):
        number = max(self.cursor, self.first)
        while number < self.next and not self.pending(number):
            number += 1
        return number

    def _sector_of(self, number):
        low, high = self.oldest, self.newest
        while low < high:
            mid = (low + high + 1) // 2
            if self.starts[mid % self.sectors] <= number:
                low = mid
            else:
                high = mid - 1
        return low

    def _find(self, number):
        """Return (block, offset) of a record; walks from the last one found when that is nearer."""
        if not self.first <= number < self.next:
            return None
        block = self._sector_of(number) % self.sectors
        at, off = self.starts[block], SECTOR_LEN
        if at <= self._hint[0] <= number:
            at, off = self._hint
        while at < number:
            length = self._read_head(block, off)[0]
            off += RECORD_LEN + length
            if off + RECORD_LEN > self.size:
                return None
            at += 1
        self._hint = (number, off)
        return block, off

    def _read_head(self, block, off):
        buf = bytearray(RECORD_LEN)
        self.dev.readblocks(block, buf, off)
        return struct.unpack(_RECORD, buf)

    def _read_at(self, block, off, number):
        """Return (length, state, payload); payload is None when no whole record stands there."""
        if off + RECORD_LEN > self.size:
            return BLANK, 0xFF, None
        length, state, _, crc = self._read_head(block, off)
        if length == BLANK or off + RECORD_LEN + length > self.size:
            return length, state, None
        payload = bytearray(length)
        self.dev.readblocks(block, payload, off + RECORD_LEN)
        payload = bytes(payload)
        return length, state, payload if _record_crc(number, payload) == crc else None
