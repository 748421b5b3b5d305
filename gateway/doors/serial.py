"""Meters and sensors on serial lines: P1, SML, IEC 62056-21, DLMS, particle sensors. A line has no acknowledgement.

Each line has a thread: it opens the port, cuts the frames of the format, and hands at most one in `every_s` seconds
over, stamped by this machine's clock. A line that is unplugged is opened again when it is back.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable

from adapters.serial.line import SerialLine
from gateway.core import Incoming
from gateway.doors.handover import Handover
from gateway.doors.inbox import Inbox
from gateway.formats import framer
from gateway.routes import Source

log = logging.getLogger(__name__)

_LONGEST_S = 30.0


class SerialDoor:
    """One serial line with one device. `clock`: ms UTC."""

    def __init__(self, source: Source, inbox: Inbox, clock: Callable[[], int]) -> None:
        assert source.line is not None  # noqa: S101 - for mypy: only such sources come here
        self._source, self._wire, self._clock = source, source.line, clock
        self._over = threading.Event()
        self._handover = Handover(inbox, self._over.is_set)
        self._thread = threading.Thread(target=self._run, name=f"serial {self._wire.settings.port}", daemon=True)
        self._framer = framer(source.format)  # a format without frames is refused before anything is opened
        self._slot = -1
        self._state = ""

    def start(self) -> None:
        """Listen; the line may come later."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _run(self) -> None:
        pause = 0.5
        while not self._over.is_set():
            try:
                with SerialLine(self._wire.settings) as line:
                    self._log(f"{self._wire.settings.port} is open")
                    pause = 0.5
                    self._listen(line)
            except OSError as error:
                self._log(f"{self._wire.settings.port}: {error}; retrying until it is back")
            self._over.wait(random.uniform(0.1, pause))
            pause = min(2 * pause, _LONGEST_S)

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

    def _log(self, sentence: str) -> None:
        """One line for each change."""
        if sentence != self._state:
            self._state = sentence
            log.warning(sentence)
