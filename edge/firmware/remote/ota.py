"""Firmware over the air, on the one MQTT link: an offer, its chunks, and a slot ready for its trial.

The offer (retained on `ota/offer`) names version, release number, size, chunk size, SHA-256 and an HMAC under this
device's key; an offer with a lower release number is refused unless it says that it is meant as a downgrade. The
chunks are retained messages `ota/<first 8 digits of the SHA-256>/<number>`; the node subscribes to a few at a time,
so it sets the pace, and goes on after a cut where it stopped. A new slot is tried only when everything matches. Whether
it is kept is decided in `maintenance.py`, and by the loader.
"""

import gc
import json
import os
from binascii import unhexlify

from micropython import const

from .. import RELEASE, VERSION, files, lazy
from . import bundle
from .slots import Slots

_CHUNK_WAIT_MS = const(20000)
_AT_ONCE = const(4)  # chunks asked for together: memory for speed
_SIZE_MAX = const(400000)


def checked_offer(payload, key):
    """Return the offer; ValueError with the reason when it is not one or not signed with our key."""
    if payload is None:
        raise ValueError("offer too long")
    offer = json.loads(payload)
    for name in ("version", "size", "chunk", "sha256", "hmac", "release", "downgrade"):
        kind = str if name in ("version", "sha256", "hmac") else int
        if not isinstance(offer, dict) or not isinstance(offer.get(name), kind):
            raise ValueError("offer without " + name)
    if not key:
        raise ValueError("this node has no key for updates")
    if not 0 < offer["size"] <= _SIZE_MAX or not 256 <= offer["chunk"] <= 4096 or len(offer["sha256"]) != 64:
        raise ValueError("offer out of range")
    if not bundle.equal(bundle.hmac(unhexlify(key), bundle.signed(offer)), unhexlify(offer["hmac"])):
        raise ValueError("wrong HMAC")
    return offer


async def consider(maintenance, payload):
    """Install what is offered; returns (state, version, reason): running, refused, or trial after the next start."""
    version = ""
    try:
        offer = checked_offer(payload, maintenance.node.conf["ota_key"])
        version = offer["version"]
        if version == VERSION:
            return "running", version, ""
        rom = __file__.startswith("/rom")
        if rom != (offer.get("form") == "romfs"):
            raise ValueError("this node takes a %s" % ("ROMFS image" if rom else "bundle, not a ROMFS image"))
        if offer["release"] < RELEASE and not offer["downgrade"]:
            raise ValueError("release %d is older than %d, which runs" % (offer["release"], RELEASE))
        if version in Slots(maintenance.node.board.state).bad:
            raise ValueError("was rolled back before")
        board = maintenance.node.board
        await Download(
            maintenance, offer, lazy.load("remote.image").Image(board, offer) if rom else Slot(board, offer)
        ).install()
        return "trial", version, ""
    except (ValueError, OSError, UnicodeError) as err:
        return "refused", version, str(err) or repr(err)


class Slot:
    """The spare slot of the file system: the bundle is collected in a file, then unpacked."""

    def __init__(self, board, offer):
        self.board, self.offer = board, offer
        self.root = board.state
        self.part = self.root + "/ota.part"

    async def begin(self):
        """How many chunks of this very bundle are already here."""
        note = self.root + "/ota.of"
        if files.load(note) != self.offer["sha256"]:
            files.remove(self.part)
            files.save(note, self.offer["sha256"])
        try:
            have = min(os.stat(self.part)[6], self.offer["size"]) // self.offer["chunk"]
        except OSError:
            have = 0
        self._file = open(self.part, "r+b" if have else "wb")  # noqa: SIM115 (closed by `close`)
        self._file.seek(have * self.offer["chunk"])
        return have

    def write(self, _number, data):
        """The next chunk."""
        self._file.write(data)

    def flush(self):
        """Some chunks are complete."""
        self._file.flush()

    def close(self):
        """No more chunks come for now."""
        self._file.close()

    def install(self):
        """Check and unpack, on trial from the next start on; ValueError when it is not what was offered."""
        if bundle.sha256(self.part) != unhexlify(self.offer["sha256"]):
            files.remove(self.part)
            raise ValueError("wrong SHA-256")
        slots = Slots(self.root)
        bundle.unpack(self.part, self.root + "/" + slots.spare())
        self.board.sync_files()
        slots.start_trial(self.offer["version"])
        files.remove(self.part)


class Download:
    """One bundle or image on its way to its place."""

    def __init__(self, maintenance, offer, place):
        self.maintenance = maintenance
        self.client = maintenance.node.client
        self.offer = offer
        self.place = place

    async def install(self):
        """Fetch, check, install; ValueError when it is not what was offered."""
        number, size, chunk = await self.place.begin(), self.offer["size"], self.offer["chunk"]
        count = (size + chunk - 1) // chunk
        try:
            while number < count:
                for data in await self._chunks(number, min(count, number + _AT_ONCE)):
                    if len(data) != min(chunk, size - number * chunk):
                        raise ValueError("chunk %d has the wrong size" % number)
                    self.place.write(number, data)
                    number += 1
                data = None
                self.place.flush()
                gc.collect()
        finally:
            self.place.close()
        self.place.install()

    async def _chunks(self, first, end):
        """Fetch a few chunks; after a lost connection or a silent broker they are asked for again, some times."""
        name = "ota/%s/" % self.offer["sha256"][:8]
        ends = [name + str(number) for number in range(first, end)]
        topics = [self.maintenance.node.prefix + end for end in ends]
        found = {}
        for _ in range(5):
            self.maintenance.beat()
            self.client.ask_for(topics)
            await self._arrival(ends, found)
            self.client.give_up(topics)
            if len(found) == len(ends):
                return [found[end] for end in ends]
        raise ValueError("chunk %d does not come" % first)

    async def _arrival(self, ends, found):
        board = self.maintenance.node.board
        limit = board.ticks_ms() + _CHUNK_WAIT_MS
        while board.ticks_ms() < limit and len(found) < len(ends):
            if self.maintenance.chunks:
                end, data = self.maintenance.chunks.pop(0)
                if end in ends and data:
                    found[end] = data
            else:
                await board.sleep_ms(20)
