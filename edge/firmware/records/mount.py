"""Finds the records of a ring on its flash. Needed once at a start, and then out of memory again."""

from . import ring as rings
from .ring import BLANK, RECORD_LEN, SECTOR_LEN


def mount(ring):
    """Fill in what a ring knows about its flash; a flash without a single whole sector header becomes an empty ring."""
    heads = _headers(ring)
    if not heads:
        _format(ring)
        return
    ring.newest = ring.oldest = max(heads)
    # N - 1 sectors live; an N-th was already counted as dropped and is only waiting to be erased.
    while ring.oldest - 1 in heads and ring.newest - ring.oldest < ring.sectors - 2:
        ring.oldest -= 1
    for number in range(ring.oldest, ring.newest + 1):
        ring.starts[number % ring.sectors] = heads[number][0]
    ring.dropped = heads[ring.newest][1]
    for number in range(ring.oldest, ring.newest):
        block = number % ring.sectors
        ring.counts[block] = ring.starts[(number + 1) % ring.sectors] - ring.starts[block]
    _scan_newest(ring)
    ring._clear_ahead()
    ring.cursor = ring._first_unacked()


def _headers(ring):
    heads = {}
    buf = bytearray(SECTOR_LEN)
    for block in range(ring.sectors):
        ring.dev.readblocks(block, buf, 0)
        head = rings.parse_sector_header(buf)
        if head and head[0] % ring.sectors == block:
            heads[head[0]] = head[1:]
    return heads


def _format(ring):
    ring.newest = ring.oldest = 0
    ring.cursor = ring.next = ring.starts[0] = 0
    ring.dev.ioctl(6, 0)
    ring._write_header(0)
    ring._clear_ahead()


def _scan_newest(ring):
    """Find the end of the newest sector; whatever is not blank behind it closes the sector."""
    block = ring.newest % ring.sectors
    number, off = ring.starts[block], SECTOR_LEN
    while True:
        length, _, payload = ring._read_at(block, off, number)
        if payload is None:
            break
        number += 1
        off += RECORD_LEN + length
    ring.counts[block] = number - ring.starts[block]
    ring.next = number
    ring.tail = off if length == BLANK and ring._is_blank(block, off) else ring.size
