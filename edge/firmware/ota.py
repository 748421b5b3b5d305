"""Firmware over the air, on the one MQTT link: an offer, its chunks, a trial, and the way back.

The offer (retained on `ota/offer`) names version, size, chunk size, SHA-256 and an HMAC under this device's key. The
chunks are retained messages `ota/<first 8 digits of the SHA-256>/<number>`; the node subscribes to one at a time, so
it sets the pace, and goes on after a cut where it stopped. The new slot is tried only when everything matches, and is
kept only after a self-test and an acknowledged publication.
"""

import asyncio
import json
import os
from binascii import unhexlify

from . import VERSION, bundle, files, hmac256
from .inbox import Inbox

CHUNK_WAIT_MS = 20000
PROOF_MS = 900000
SIZE_MAX = 400000


def checked_offer(payload, key):
    """Return the offer; ValueError with the reason when it is not one or not signed with our key."""
    if payload is None:
        raise ValueError("offer too long")
    offer = json.loads(payload)
    for name, kind in (("version", str), ("size", int), ("chunk", int), ("sha256", str), ("hmac", str)):
        if not isinstance(offer, dict) or not isinstance(offer.get(name), kind):
            raise ValueError("offer without " + name)
    if not key:
        raise ValueError("this node has no key for updates")
    if not 0 < offer["size"] <= SIZE_MAX or not 256 <= offer["chunk"] <= 4096 or len(offer["sha256"]) != 64:
        raise ValueError("offer out of range")
    if not hmac256.equal(hmac256.digest(unhexlify(key), bundle.signed(offer)), unhexlify(offer["hmac"])):
        raise ValueError("wrong HMAC")
    return offer


class Ota:
    """Reports on `ota/state`: {"fw", "slot", "state", "version", "reason", "bad"}."""

    def __init__(self, board, client, prefix, slots, key, healthy):
        self.board = board
        self.client = client
        self.prefix = prefix + "ota/"
        self.slots = slots
        self.key = key
        self.healthy = healthy
        self.offers = Inbox(board, 2)
        self.chunks = Inbox(board, 2)
        self.beat = lambda: None
        self._part = board.root + "/ota.part"

    async def run(self):
        """Prove a trial, then take offers, for ever."""
        if self.slots.on_trial:
            await self._prove()
        await self._report("running", VERSION)
        while True:
            payload = await self.offers.get(self.beat)
            if payload:
                await self._consider(payload)

    async def _prove(self):
        """Keep this firmware once it is healthy and its readings arrive; else start again, which counts as failed."""
        ends = self.board.ticks_ms() + PROOF_MS
        while not self.healthy():
            if self.board.ticks_ms() > ends:
                self.board.reset()
            self.beat()
            await self.board.sleep_ms(500)
        self.slots.commit()

    async def _consider(self, payload):
        version = ""
        try:
            offer = checked_offer(payload, self.key)
            version = offer["version"]
            if version == VERSION:
                await self._report("running", version)
                return
            if version in self.slots.bad:
                raise ValueError("was rolled back before")
            await self._install(offer)
        except (ValueError, OSError, UnicodeError, asyncio.TimeoutError) as err:
            await self._report("refused", version, str(err) or repr(err))

    async def _install(self, offer):
        await self._report("downloading", offer["version"])
        await self._download(offer)
        if bundle.sha256(self._part) != unhexlify(offer["sha256"]):
            files.remove(self._part)
            raise ValueError("wrong SHA-256")
        bundle.unpack(self._part, self.board.root + "/" + self.slots.spare())
        self.board.sync_files()
        self.slots.start_trial(offer["version"])
        files.remove(self._part)
        await self._report("trial", offer["version"])
        await self.board.sleep_ms(2000)
        self.board.reset()

    def _have(self, offer):
        """Whole chunks of this very bundle that are already here."""
        note = self.board.root + "/ota.of"
        if files.load(note) != offer["sha256"]:
            files.remove(self._part)
            files.save(note, offer["sha256"])
        try:
            return min(os.stat(self._part)[6], offer["size"]) // offer["chunk"]
        except OSError:
            return 0

    async def _download(self, offer):
        number, size, chunk = self._have(offer), offer["size"], offer["chunk"]
        with open(self._part, "r+b" if number else "wb") as part:
            part.seek(number * chunk)
            while number * chunk < size:
                data = await self._chunk(offer["sha256"][:8], number)
                if len(data) != min(chunk, size - number * chunk):
                    raise ValueError("chunk %d has the wrong size" % number)
                part.write(data)
                part.flush()
                number += 1
                self.beat()

    async def _chunk(self, name, number):
        """Fetch one chunk; after a lost connection or a silent broker it is asked for again, a few times."""
        topic = "%s%s/%d" % (self.prefix, name, number)
        for _ in range(5):
            try:
                await self.client.subscribe(topic)
                item = await self.chunks.get(self.beat, CHUNK_WAIT_MS)
                while item and item[0] != topic:
                    item = await self.chunks.get(self.beat, CHUNK_WAIT_MS)
                await self.client.unsubscribe(topic)
                if item and item[1]:
                    return item[1]
            except asyncio.TimeoutError:
                pass
            self.beat()
        raise ValueError("chunk %d does not come" % number)

    async def _report(self, state, version, reason=""):
        text = {"fw": VERSION, "slot": self.slots.running, "state": state, "version": version, "bad": self.slots.bad}
        if reason:
            text["reason"] = reason
        text = json.dumps(text).encode()
        await self.client.publish(self.prefix + "state", lambda: text, None, True, self.beat)
