"""A node whose firmware runs in place from a ROMFS image. Runs on MicroPython: rom_node.py FOLDER.

The image `FOLDER/rom.img` is mapped into memory outside of the heap, as a board maps its flash.
"""

import os
import sys

import ffi  # pyright: ignore (of the unix port alone)
import uctypes
import vfs

PATH = sys.argv[1] + "/rom.img"


def mapped(path: str) -> bytearray:
    """A file as memory."""
    size = os.stat(path)[6]  # noqa: PTH116
    with open(path, "rb") as file:  # noqa: PTH123
        mmap = ffi.open(None).func("p", "mmap", "pIiiii")
        return uctypes.bytearray_at(mmap(0, size, 1, 2, file.fileno(), 0), size)


vfs.mount(vfs.VfsRom(mapped(PATH)), "/rom")  # pyright: ignore (newer than the stubs)
sys.path.insert(0, "/rom")

import asyncio  # noqa: E402

from firmware.app import Node  # noqa: E402
from firmware.hal import Board  # noqa: E402

asyncio.run(Node(Board(sys.argv[1])).run())
