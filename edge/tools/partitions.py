"""The flash layout of a node, written into a stock MicroPython image.

MicroPython 1.25 ships a table with `vfs`, later ones without: the file system is then made from the end of the last
partition. So a new table is written, whatever the image has; only its application is kept. Format: ESP-IDF's
partition table (32 bytes an entry, an MD5 entry at the end).

`vfs` holds what a technician puts there and is not written in operation; `state` the node's own small files and the
slots of updates, reformatted when damaged; `ring` the records; `romfs` the firmware that runs in place, `romfs_b` the
other image and `swap` the room to exchange them. LittleFS gives every file at least one sector of 4 KiB: a slot takes
five times the bytes of its bundle. So 4 MB of flash have room for slots or for ROMFS images, not for both.
"""

from __future__ import annotations

import hashlib
import struct
from typing import NamedTuple

from telemetry.errors import UsageError

TABLE, APP, SECTOR = 0x8000, 0x10000, 0x1000
START = {"esp32": 0x1000, "esp32s3": 0, "esp32c3": 0}  # where an image begins on the flash
_ENTRY = "<2sBBII16sI"
_MAGIC, _MD5, _LENGTH = b"\xaa\x50", b"\xeb\xeb" + b"\xff" * 14, 0xC00
_MEBI = 1024 * 1024


class Partition(NamedTuple):
    """One partition; `kind` 0 is an application, 1 data."""

    label: str
    kind: int
    subtype: int
    offset: int
    size: int


# Bytes of factory, vfs, state and ring, and whether the two ROMFS images are there.
_SLOTS = {
    4: (0x1F0000, 0x90000, 0x138000, 0x38000, False),
    8: (0x2F0000, 0xC0000, 0x1C0000, 0x100000, True),
    16: (0x2F0000, 0x100000, 0x400000, 0x400000, True),
}
_IMAGES = {**_SLOTS, 4: (0x1F0000, 0x30000, 0x30000, 0x80000, True)}


def layout(flash_mb: int, romfs: bool = False) -> list[Partition]:
    """The partitions for a flash of 4, 8 or 16 MB; `romfs`: the firmware runs from an image, slots need no room.

    Raises UsageError for another size.
    """
    if flash_mb not in _SLOTS:
        raise UsageError(f"A flash of {flash_mb} MB is not supported; use 4, 8 or 16.")
    app, vfs, state, ring, images = (_IMAGES if romfs else _SLOTS)[flash_mb]
    sizes = [("factory", 0, 0x00, app), ("vfs", 1, 0x81, vfs), ("state", 1, 0x81, state), ("ring", 1, 0x40, ring)]
    if images:
        sizes += [("romfs", 1, 0x8F, 0x40000), ("romfs_b", 1, 0x8F, 0x40000), ("swap", 1, 0x41, 2 * SECTOR)]
    out = [Partition("nvs", 1, 0x02, 0x9000, 0x6000), Partition("phy_init", 1, 0x01, 0xF000, 0x1000)]
    at = APP
    for label, kind, subtype, size in sizes:
        out.append(Partition(label, kind, subtype, at, size))
        at += size
    if at > flash_mb * _MEBI:
        raise ValueError(f"the layout takes {at:#x} bytes of {flash_mb} MB")
    return out


def table(partitions: list[Partition]) -> bytes:
    """The bytes of a table."""
    entries = b"".join(
        struct.pack(_ENTRY, _MAGIC, p.kind, p.subtype, p.offset, p.size, p.label.encode(), 0) for p in partitions
    )
    return (entries + _MD5 + hashlib.md5(entries, usedforsecurity=False).digest()).ljust(_LENGTH, b"\xff")


def parsed(data: bytes) -> list[Partition]:
    """The partitions of a table. Raises ValueError where it is not one, or its checksum is wrong."""
    out: list[Partition] = []
    for at in range(0, len(data) - 31, 32):
        entry = data[at : at + 32]
        if entry[:16] == _MD5:
            if hashlib.md5(data[:at], usedforsecurity=False).digest() != entry[16:]:
                raise ValueError("the checksum of the partition table is wrong")
            return out
        if entry[:2] != _MAGIC:
            break
        _, kind, subtype, offset, size, label, _ = struct.unpack(_ENTRY, entry)
        out.append(Partition(label.rstrip(b"\0").decode(), kind, subtype, offset, size))
    if not out:
        raise ValueError("there is no partition table")
    return out


def node_image(stock: bytes, chip: str, flash_mb: int, firmware: bytes = b"") -> bytes:
    """A stock image with our table; `firmware`: a ROMFS image to put into its partition.

    Raises UsageError where the image is not one for this chip or does not fit.
    """
    if chip not in START:
        raise UsageError(f"'{chip}' is not a supported chip; use {', '.join(START)}.")
    place = TABLE - START[chip]
    try:
        apps = [p for p in parsed(stock[place : place + _LENGTH]) if p.kind == 0]
    except ValueError as error:
        raise UsageError(f"This is not a MicroPython image for the {chip}: {error}.") from None
    wanted = layout(flash_mb, bool(firmware))
    room = next(p for p in wanted if p.label == "factory").size
    app = stock[APP - START[chip] :]
    if not apps or apps[0].offset != APP or app[:1] != b"\xe9":
        raise UsageError("The image has no application at 0x10000; use the .bin of micropython.org for this board.")
    if len(app) > room:
        raise UsageError(f"The application takes {len(app):,} bytes; with {flash_mb} MB of flash it may take {room:,}.")
    out = stock[:place] + table(wanted) + stock[place + _LENGTH :]
    if not firmware:
        return out
    rom = next(p for p in wanted if p.label == "romfs")
    if len(firmware) > rom.size:
        raise UsageError(f"The ROMFS image takes {len(firmware):,} bytes; its partition has {rom.size:,}.")
    return out.ljust(rom.offset - START[chip], b"\xff") + firmware


def text(partitions: list[Partition]) -> str:
    """The layout as a table for people."""
    rows = [f"{'label':<10}{'offset':>10}{'size':>10}"]
    rows += [f"{p.label:<10}{p.offset:>#10x}{p.size // 1024:>8} K" for p in partitions]
    return "\n".join(rows) + "\n"
