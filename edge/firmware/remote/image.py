"""A ROMFS image on its way into the spare partition, from where the loader exchanges it with the one that runs."""

import gc
import hashlib
from binascii import unhexlify

from micropython import const

from .. import files
from .slots import Slots

_SECTOR = const(4096)
_PIECE = const(512)


class Image:
    """The same interface as `ota.Slot`."""

    def __init__(self, board, offer):
        self.board, self.offer = board, offer
        self.flash = board.spare_image()
        self.note = board.state + "/ota.of"
        self.sectors = (offer["size"] + _SECTOR - 1) // _SECTOR
        if self.sectors > self.flash.ioctl(4, 0):
            raise ValueError("the image is larger than its partition")
        if _SECTOR % offer["chunk"]:
            raise ValueError("chunks of %d bytes do not fit into sectors" % offer["chunk"])

    async def begin(self):
        """How many chunks of this very image are already here, in whole sectors."""
        if files.load(self.note) != self.offer["sha256"]:
            files.remove(self.note)
            for number in range(self.sectors):
                self.flash.ioctl(6, number)
                await self.board.sleep_ms(20)
            files.save(self.note, self.offer["sha256"])
            return 0
        number, blank, buf = 0, b"\xff" * _PIECE, bytearray(_PIECE)
        while number < self.sectors:
            self.flash.readblocks(number, buf, 0)
            if buf == blank:
                break
            number += 1
        return max(0, number - 1) * _SECTOR // self.offer["chunk"]  # the last one may be there by half

    def write(self, number, data):
        """The next chunk."""
        at = number * self.offer["chunk"]
        if not at % _SECTOR:
            self.flash.ioctl(6, at // _SECTOR)
        self.flash.writeblocks(at // _SECTOR, data, at % _SECTOR)

    def flush(self):
        """Flash is written at once."""

    close = flush

    def _sha256(self):
        digest, left, at = hashlib.sha256(), self.offer["size"], 0
        while left:
            piece = bytearray(min(left, _PIECE))
            self.flash.readblocks(at // _SECTOR, piece, at % _SECTOR)
            digest.update(piece)
            at += len(piece)
            left -= len(piece)
        gc.collect()
        return digest.digest()

    def install(self):
        """Check, and have the loader exchange the images at the next start; ValueError when it is not what was
        offered.
        """
        files.remove(self.note)
        if self._sha256() != unhexlify(self.offer["sha256"]):
            raise ValueError("wrong SHA-256")
        Slots(self.board.state).start_image_trial(self.offer["version"], self.offer["sha256"], self.sectors)
