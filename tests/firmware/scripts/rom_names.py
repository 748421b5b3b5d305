"""Loads modules of a ROMFS image as a node does over its life, and prints how many names MicroPython keeps for them.

Runs on MicroPython: rom_names.py FOLDER MODULE,MODULE,...
"""

import os
import sys

import ffi  # pyright: ignore (of the unix port alone)
import micropython
import uctypes
import vfs

path = sys.argv[1] + "/rom.img"
size = os.stat(path)[6]  # noqa: PTH116
with open(path, "rb") as f:  # noqa: PTH123
    mmap = ffi.open(None).func("p", "mmap", "pIiiii")
    data = uctypes.bytearray_at(mmap(0, size, 1, 2, f.fileno(), 0), size)
vfs.mount(vfs.VfsRom(data), "/rom")  # pyright: ignore (newer than the stubs)
sys.path.insert(0, "/rom")
for a in sys.argv[2].split(","):
    __import__("firmware." + a)
    if a != "app":
        sys.modules.pop("firmware." + a, None)
micropython.qstr_info()
