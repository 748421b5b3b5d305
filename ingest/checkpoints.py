"""The engine's state in the store, so that a start costs the state and not the history.

A checkpoint holds the number of the last write of hours that is in it. One that was made by another program text, with
another city file or other libraries, or that is damaged, is passed over: then the days are folded from the hours.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import time
import zlib
from collections.abc import Collection, Iterator
from importlib.metadata import version

import msgspec
import numpy as np

from adapters.program import digest
from adapters.states import States
from kpi_derivation.engine.runner import Engine
from kpi_derivation.engine.state import Damaged, Facts, Part
from registry.city import City
from telemetry.windows import DAY

log = logging.getLogger(__name__)

_PACKAGES = ("kpi_derivation", "registry", "telemetry")


class Head(msgspec.Struct):
    """`fits`: of which program and city file. `number`: of the last write of hours that is in it."""

    fits: str
    number: int
    facts: Facts
    parts: dict[str, Part] = {}


class Checkpoints:
    """The checkpoint of one city."""

    def __init__(self, states: States, city: City) -> None:
        self._states, self._city = states, city
        self._parts: dict[str, Part] = {}
        self._file = b""
        self._saved = -1  # number of the checkpoint that is stored
        self.restored = False

    def resume(self, engine: Engine, hours: tuple[int, int], newest_window: int) -> bool:
        """Give a new engine the stored state. False where none fits; the caller then makes a new engine again."""
        began = time.perf_counter()
        head = self._head(engine)
        if head is None:
            return False
        data = self._states.parts(self._city.id)
        try:
            for name, part in head.parts.items():
                if zlib.crc32(data.get(name, b"")) != part.stored:
                    raise Damaged(f"part {name} is not what was stored")
            changed = self._states.days_after(self._city.id, head.number)
            if not _has_its_hours(head.facts.hours, hours, newest_window, changed):
                log.info("the hours of %s are not those of the checkpoint, which is passed over", self._city.id)
                return False
            engine.resume(head.facts, data, hours, newest_window, changed)
        except Damaged as reason:
            log.warning("the checkpoint of %s is damaged and passed over: %s", self._city.id, reason)
            return False
        self._parts, self._saved, self.restored = head.parts, head.number, True
        log.info(
            "%s: continued from a checkpoint in %.1f s, %d days folded again",
            self._city.id, time.perf_counter() - began, len(changed),
        )  # fmt: skip
        return True

    def _head(self, engine: Engine) -> Head | None:
        stored = self._states.head(self._city.id)
        if stored is None:
            return None
        try:
            head = msgspec.msgpack.decode(stored, type=Head)
        except msgspec.MsgspecError:
            log.info("the checkpoint of %s is of another version and passed over", self._city.id)
            return None
        same = head.fits == self._fits() and head.facts.quantities == engine.quantities
        if not same or head.number > self._states.number(self._city.id):
            log.info("the checkpoint of %s is of another program, city file or store and passed over", self._city.id)
            return None
        return head

    def save(self, engine: Engine) -> bool:
        """Store the engine's state, where it has changed and nothing in it waits to be folded."""
        number, state, fits = self._states.number(self._city.id), engine.state(), self._fits()
        if number == self._saved or state is None or not fits:
            return False
        parts: dict[str, Part] = {}

        def packed() -> Iterator[tuple[str, bytes | None]]:
            for name, part, data in state.parts(self._parts):
                parts[name] = part
                yield name, data

        head = Head(fits, number, state.facts, parts)
        if not self._states.put(self._city.id, packed(), lambda: msgspec.msgpack.encode(head)):
            return False
        self._parts, self._saved = parts, number
        return True

    def _fits(self) -> str:
        """What a state depends on besides the hours; empty where that cannot be known."""
        if not (program := digest(*_PACKAGES)):
            return ""
        rest = (program, np.__version__, version("tzdata"), sys.version, sys.byteorder)
        made = hashlib.blake2b(repr(rest).encode(), digest_size=16)
        made.update(self._of_city())
        return made.hexdigest()

    def _of_city(self) -> bytes:
        """What stands for the city file: found once and device by device, for all of 100,000 together are 200 MB."""
        if not self._file:
            made = hashlib.blake2b(digest_size=16)
            plain = self._city.model_dump(mode="json", exclude={"device"})
            for part in (plain, *(device.plain() for device in self._city.device)):
                made.update(json.dumps(part, sort_keys=True).encode() + b"\n")
            self._file = made.digest()
        return self._file


def _has_its_hours(known: tuple[int, int], hours: tuple[int, int], newest: int, changed: Collection[int]) -> bool:
    """Whether the store has the hours of a checkpoint (`known`: first and last start), and others by numbered writes.

    Not where hours were deleted, nor where a version of this program that does not number its writes has added some.
    Hours that were not stored yet are made of windows, of which the newest begins at `newest`.
    """
    has_all = hours[0] <= known[0] and known[1] <= max(hours[1], newest)
    added = {hours[0]} - {known[0]} | ({hours[1]} if hours[1] > known[1] else set())
    return has_all and all(start // DAY * DAY in changed for start in added)
