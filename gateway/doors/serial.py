"""Meters and sensors on serial lines: P1, SML, IEC 62056-21, DLMS, particle sensors. A line has no acknowledgement.

Each line has a thread: it opens the port, cuts the frames of the format, and hands at most one in `every_s` seconds
over, stamped by this machine's clock. A line that is unplugged is opened again when it is back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from adapters.serial.line import SerialLine
from gateway.doors.inbox import Inbox
from gateway.doors.wire import WireDoor
from gateway.formats import framer
from gateway.incoming import Incoming
from gateway.routes import Source

log = logging.getLogger(__name__)


class SerialDoor(WireDoor):
    """One serial line with one device. `clock`: ms UTC."""

    def __init__(self, source: Source, inbox: Inbox, clock: Callable[[], int]) -> None:
        assert source.line is not None  # noqa: S101 - for mypy: only such sources come here
        self._source, self._wire, self._clock = source, source.line, clock
        super().__init__(inbox, "serial", self._wire.settings.port)
        self._framer = framer(source.format)  # a format without frames is rejected before anything is opened
        self._slot = -1

    def _use(self) -> None:
        with SerialLine(self._wire.settings) as line:
            self._opened()
            self._listen(line)

    def _listen(self, line: SerialLine) -> None:
        self._framer = framer(self._source.format)
        asked = -1
        while not self._over.is_set():
            now = self._clock() // 1000
            if self._wire.request and now // self._wire.every_s != asked:
                asked = now // self._wire.every_s
                line.write(self._wire.request)
            for frame in self._framer.feed(line.read()):
                self._take(frame)
            if len(self._handover):
                self._handover.give()

    def _take(self, frame: bytes) -> None:
        """Hand a frame over: the first of each `every_s` seconds."""
        arrival = self._clock()
        slot = arrival // (1000 * self._wire.every_s)
        if slot != self._slot:
            self._slot = slot
            self._handover.give(Incoming(self._source.topic, frame, arrival))
