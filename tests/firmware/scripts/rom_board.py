"""A board whose partition `romfs` is mapped and mounted, and its loader.

Runs on MicroPython: rom_board.py FOLDER SPEED. FOLDER holds loader.py and exchange.py; the image's `hal` reads SPEED.
"""

import json
import os
import sys

import ffi  # pyright: ignore (of the unix port alone)
import uctypes
import vfs

with open(os.getenv("ESP32_BOARD")) as file:  # pyright: ignore # noqa: PTH123
    WORLD = json.load(file)
SIZES = WORLD["partitions"]
START = sum([SIZES[name] for name in sorted(SIZES) if name < "romfs"])
with open(WORLD["flash"], "rb") as file:  # noqa: PTH123
    mmap = ffi.open(None).func("p", "mmap", "pIiiii")
    size = SIZES["romfs"] * 4096
    memory = uctypes.bytearray_at(mmap(0, size, 1, 2, file.fileno(), START * 4096), size)
try:  # noqa: SIM105 (no contextlib here)
    vfs.mount(vfs.VfsRom(memory), "/rom")  # pyright: ignore (newer than the stubs)
except (OSError, ValueError):
    pass  # the port starts without it too
sys.path.append(sys.argv[1])

import loader  # noqa: E402 # pyright: ignore (beside node.json)

loader.main(sys.argv[1])
