"""How many sectors of 4 KiB some files take on LittleFS. Runs on MicroPython: littlefs.py FILES.JSON (name: length)."""

import json
import os
import sys

import vfs

SIZE = 4096


class Flash:
    """A block device in memory."""

    def __init__(self, blocks: int) -> None:
        self.blocks, self.data = blocks, bytearray(b"\xff" * (blocks * SIZE))

    def readblocks(self, block: int, buf: bytearray, offset: int = 0) -> None:
        """Fill the buffer."""
        at = block * SIZE + offset
        buf[:] = self.data[at : at + len(buf)]

    def writeblocks(self, block: int, data: bytes, offset: int = 0) -> None:
        """Program."""
        at = block * SIZE + offset
        self.data[at : at + len(data)] = data

    def ioctl(self, op: int, arg: int) -> int:
        """As of a partition."""
        if op == 6:
            self.writeblocks(arg, b"\xff" * SIZE)
        return {4: self.blocks, 5: SIZE}.get(op, 0)


flash = Flash(1024)
vfs.VfsLfs2.mkfs(flash)  # pyright: ignore
vfs.mount(vfs.VfsLfs2(flash), "/l")  # pyright: ignore
with open(sys.argv[1]) as file:  # noqa: PTH123
    wanted = json.load(file)
for name, length in wanted.items():
    at = "/l"
    for part in name.split("/")[:-1]:
        at += "/" + part
        try:  # noqa: SIM105 (no contextlib here)
            os.mkdir(at)  # noqa: PTH102
        except OSError:
            pass
    with open("/l/" + name, "wb") as file:  # noqa: PTH123
        file.write(bytes(length))
facts = os.statvfs("/l")
print(facts[2] - facts[3])
