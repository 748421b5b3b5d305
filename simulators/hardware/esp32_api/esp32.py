"""`esp32` of the ESP32 port: partitions in one file that behaves as flash, and NVS with its limits."""

import json
import os

import board
from board import WORLD

_BLOCK = 4096
_BLOB_MAX = 4000  # bytes of a blob in NVS of 24 KiB, with room for others


class Partition:
    """A part of the flash; `partitions` in the board's description gives the number of blocks of each."""

    BOOT, RUNNING, TYPE_APP, TYPE_DATA = 0, 1, 0, 1

    def __init__(self, label) -> None:
        sizes = WORLD.get("partitions", {})
        if label not in sizes:
            raise OSError(2)
        self._label, self._blocks, start = label, sizes[label], 0
        for name in sorted(sizes):
            if name == label:
                break
            start += sizes[name]
        self._start = start * _BLOCK
        total = sum(sizes.values()) * _BLOCK
        try:
            whole = os.stat(WORLD["flash"])[6] == total
        except OSError:
            whole = False
        if not whole:
            with open(WORLD["flash"], "wb") as f:
                for _ in range(total // 256):
                    f.write(b"\xff" * 256)
        self._file = open(WORLD["flash"], "r+b")

    @staticmethod
    def find(type=0, subtype=255, label=None, block_size=4096) -> object:
        """Partitions of a type and label."""
        names = [name for name in sorted(WORLD.get("partitions", {})) if label in (None, name)]
        return [Partition(name) for name in names] if type == Partition.TYPE_DATA else []

    def info(self) -> object:
        """(type, subtype, address, size, label, encrypted)."""
        return (1, 0x81, 0x200000 + self._start, self._blocks * _BLOCK, self._label, False)

    def _place(self, block, offset, size) -> object:
        at = block * _BLOCK + offset
        if at < 0 or at + size > self._blocks * _BLOCK:
            raise OSError(-258, "ESP_ERR_INVALID_ARG")
        return self._start + at

    def readblocks(self, block, buf, offset=0) -> object:
        """Fill the buffer."""
        self._file.seek(self._place(block, offset, len(buf)))
        self._file.readinto(buf)

    def writeblocks(self, block, data, offset=None) -> object:
        """With an offset: program only; without: erase first."""
        if offset is None:
            for at in range(block, block + (len(data) + _BLOCK - 1) // _BLOCK):
                self.ioctl(6, at)
            offset = 0
        place = self._place(block, offset, len(data))
        old = bytearray(len(data))
        self._file.seek(place)
        self._file.readinto(old)
        for i, byte in enumerate(data):
            old[i] &= byte
        self._file.seek(place)
        self._file.write(old)
        self._file.flush()

    def ioctl(self, op, arg) -> object:
        """4: number of blocks, 5: block size, 6: erase block `arg`."""
        if op in (4, 5):
            return self._blocks if op == 4 else _BLOCK
        if op == 6:
            self._file.seek(self._place(arg, 0, _BLOCK))
            for _ in range(_BLOCK // 256):
                self._file.write(b"\xff" * 256)
            self._file.flush()
            return 0
        return None if op > 6 else 0


class NVS:
    """Non-volatile storage: nothing is kept before `commit`."""

    def __init__(self, namespace) -> None:
        if not 0 < len(namespace) <= 15:
            raise OSError(-4361, "ESP_ERR_NVS_KEY_TOO_LONG")
        self._path, self._space = WORLD["nvs"], namespace
        try:
            with open(self._path) as f:
                self._all = json.load(f)
        except OSError:
            self._all = {}
        known = any([key.startswith(namespace + "/") for key in self._all])
        if WORLD.get("nvs_full") and not known:
            raise OSError(-4357, "ESP_ERR_NVS_NOT_ENOUGH_SPACE")  # opening writes the name of a new space

    def _slot(self, key) -> object:
        if not 0 < len(key) <= 15:
            raise OSError(-4361, "ESP_ERR_NVS_KEY_TOO_LONG")
        return self._space + "/" + key

    def set_blob(self, key, value) -> object:
        """Bytes."""
        if len(value) > _BLOB_MAX or WORLD.get("nvs_full"):
            raise OSError(-4357, "ESP_ERR_NVS_NOT_ENOUGH_SPACE")
        self._all[self._slot(key)] = "".join(["%02x" % byte for byte in value])

    def get_blob(self, key, buf) -> object:
        """Fill a buffer; returns how many bytes there are."""
        text = self._all.get(self._slot(key))
        if not isinstance(text, str):
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        if len(text) // 2 > len(buf):
            raise OSError(-4364, "ESP_ERR_NVS_INVALID_LENGTH")
        for i in range(len(text) // 2):
            buf[i] = int(text[2 * i : 2 * i + 2], 16)
        return len(text) // 2

    def set_i32(self, key, value) -> object:
        """A number."""
        if WORLD.get("nvs_full"):
            raise OSError(-4357, "ESP_ERR_NVS_NOT_ENOUGH_SPACE")
        self._all[self._slot(key)] = value

    def get_i32(self, key) -> object:
        """A number."""
        value = self._all.get(self._slot(key))
        if not isinstance(value, int):
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        return value

    def erase_key(self, key) -> object:
        """Forget."""
        if self._slot(key) not in self._all:
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        del self._all[self._slot(key)]

    def commit(self) -> object:
        """Write."""
        with open(self._path, "w") as f:
            json.dump(self._all, f)


def raw_temperature() -> object:
    """Fahrenheit, of the chip."""
    return 122


def mcu_temperature() -> object:
    """Celsius, of the chip."""
    return 50


WAKEUP_ALL_LOW, WAKEUP_ANY_HIGH = False, True


def wake_on_ext0(pin=None, level=None) -> object:
    """Wake by a pin."""


if board.VERSION >= (1, 26) and board.CHIP["pcnt"]:

    class PCNT:
        """Only that it is there: the firmware uses machine.Counter."""
