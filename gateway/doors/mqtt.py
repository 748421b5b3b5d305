"""Further MQTT brokers: each has a link and a thread of its own, and acknowledges after the commit like the first."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable
from concurrent.futures import TimeoutError as NotYet
from itertools import chain, repeat

from adapters.mqtt.gathering import Gathering
from adapters.mqtt.link import Link, Message, wait
from gateway.doors.inbox import Inbox
from gateway.doors.threaded import ThreadedDoor
from gateway.incoming import Incoming

log = logging.getLogger(__name__)

_LONGEST_S = 30.0


def incoming(messages: Iterable[Message], arrivals: Iterable[int] = ()) -> list[Incoming]:
    """Messages of a broker as the core takes them. `arrivals`: of the first of them, ms UTC."""
    known = chain(arrivals, repeat(0))
    return [Incoming(m.topic, m.payload, at, m.retain, 0, False, m) for m, at in zip(messages, known, strict=False)]


class MqttDoor(ThreadedDoor):
    """One broker."""

    def __init__(self, link: Link, inbox: Inbox) -> None:
        super().__init__(f"mqtt {link.broker}")
        self._link, self._inbox = link, inbox

    def _run(self) -> None:
        pause, gathering = 0.5, Gathering(self._link)
        while not self._over.is_set():
            wait([self._link], 0.2)
            gathering.wait()
            batch = self._link.received()
            if not batch:
                continue
            if self._stored(batch):
                self._link.ack(batch)
                pause = 0.5
            elif not self._over.is_set():
                self._link.abort()  # the broker keeps what is not acknowledged
                self._over.wait(random.uniform(0.1, pause))
                pause = min(2 * pause, _LONGEST_S)
        self._link.close()

    def _stored(self, batch: list[Message]) -> bool:
        future = self._inbox.deliver(incoming(batch))
        while not self._over.is_set():
            try:
                return future.result(0.5)
            except NotYet:
                continue
        return False
