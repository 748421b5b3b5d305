"""Modbus meters, RTU on a serial line or TCP: polled on a grid of time, several devices on one line.

At every multiple of `every_s` the registers of a device's table are read in as few requests as possible and handed
over together, stamped by this machine's clock. A device that does not answer does not hold up the others; a line that
is gone is opened again when it is back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import msgspec

from adapters.modbus.bus import Bus, NoAnswer
from gateway.decoding.registers import Table, blocks, table
from gateway.decoding.sunspec import models
from gateway.doors.inbox import Inbox
from gateway.doors.wire import WireDoor
from gateway.formats.modbus import Registers
from gateway.incoming import Incoming
from gateway.routes import Source
from telemetry.errors import Rejected

log = logging.getLogger(__name__)


class _Device:
    """One device of a line: its table, and where its SunSpec models are."""

    def __init__(self, source: Source, known: Table) -> None:
        assert source.line is not None  # noqa: S101 - for mypy: only such sources come here
        self.source, self.wire, self.table = source, source.line, known
        self.bases: dict[int, int] | None = None if known.is_sunspec else {0: 0}
        self.slot = -1
        self.state = ""

    def read(self, bus: Bus) -> Registers:
        """All registers. Raises NoAnswer or OSError, Rejected for a device that is not SunSpec."""
        if self.bases is None:
            self.bases = models(lambda first, count: self._words(bus, first, count))
        used = {model: at for model, at in self.bases.items() if model in self.table.models}
        found = Registers([], used if self.table.is_sunspec else {})
        for model, base in used.items():
            for b in blocks(self.table.models[model], base, self.table.longest):
                found.blocks.append((b.function, b.first, bus.read(self.wire.unit, *b)))
        return found

    def _words(self, bus: Bus, first: int, count: int) -> Sequence[int] | None:
        try:
            return bus.read(self.wire.unit, 3, first, count)
        except NoAnswer:
            return None


class ModbusDoor(WireDoor):
    """One line with its devices. `clock`: ms UTC."""

    def __init__(self, sources: Sequence[Source], inbox: Inbox, clock: Callable[[], int]) -> None:
        self._devices = [_Device(s, table(s.reading.message.options)) for s in sources if s.reading and s.line]
        self._settings = self._devices[0].wire.settings
        self._clock = clock
        super().__init__(inbox, "modbus", self._settings.port)

    def _use(self) -> None:
        with Bus(self._settings) as bus:
            self._opened()
            self._poll(bus)

    def _poll(self, bus: Bus) -> None:
        while not self._over.is_set():
            for device in self._devices:
                slot = self._clock() // (1000 * device.wire.every_s)
                if slot != device.slot:
                    device.slot = slot
                    self._read(bus, device)
            if len(self._handover):
                self._handover.give()
            self._over.wait(0.05)

    def _read(self, bus: Bus, device: _Device) -> None:
        try:
            found = device.read(bus)
        except (NoAnswer, Rejected) as error:
            self._note(device, f"{device.source.topic} (unit {device.wire.unit} on {self._settings.port}): {error}")
            return
        self._note(device, "")
        self._handover.give(Incoming(device.source.topic, msgspec.json.encode(found), self._clock()))

    @staticmethod
    def _note(device: _Device, sentence: str) -> None:
        """Log when a device stops answering, and when it answers again."""
        if bool(sentence) != bool(device.state):
            log.warning(sentence or f"{device.source.topic} answers again")
        device.state = sentence
