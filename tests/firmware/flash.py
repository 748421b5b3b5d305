"""Looks into a node's flash from outside: which records are there, and which of them wait."""

from pathlib import Path

from edge.firmware import lazy
from edge.firmware.records import record
from edge.firmware.records.ring import Ring
from simulators.hardware.nor import Nor

BLOCK = 4096
lazy.unload = lambda *_: None  # memory is sufficient here, and rings are mounted repeatedly


def ring_of(workdir: Path) -> Ring:
    """The ring of a node, mounted from a copy of its flash."""
    data = (workdir / "ring.bin").read_bytes()
    nor = Nor(len(data) // BLOCK, BLOCK)
    nor.data[:] = data
    return Ring(nor)


def records_of(workdir: Path) -> dict[tuple[int, int], record.Record]:
    """All records on a node's flash by (boot, seq)."""
    ring = ring_of(workdir)
    found = [record.decode(payload) for number in range(ring.first, ring.next) if (payload := ring.read(number))]
    return {(rec.boot, rec.seq): rec for rec in found}
