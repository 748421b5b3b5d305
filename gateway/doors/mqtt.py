"""Further MQTT brokers: each has a link and a thread of its own, and acknowledges after the commit like the first.

Slow messages wait for each other as those of the first, and are handed over just before the gateway's next flush.
"""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Callable, Iterable
from concurrent.futures import TimeoutError as NotYet
from itertools import chain, repeat

from adapters.mqtt.gathering import Gathering, Holding
from adapters.mqtt.link import Link, Message, wait
from gateway.doors.inbox import Inbox
from gateway.doors.threaded import ThreadedDoor
from gateway.incoming import Incoming

log = logging.getLogger(__name__)

_LONGEST_S = 30.0
_LOOK_S = 0.5  # at whether the door is to end
_BEFORE_MS = 30  # a flush, so that what is handed over is stored by then


def incoming(messages: Iterable[Message], arrivals: Iterable[int] = ()) -> list[Incoming]:
    """Messages of a broker as the core takes them. `arrivals`: of the first of them, ms UTC."""
    known = chain(arrivals, repeat(0))
    return [Incoming(m.topic, m.payload, at, m.retain, 0, False, m) for m, at in zip(messages, known, strict=False)]


class MqttDoor(ThreadedDoor):
    """One broker. `clock`: ms UTC."""

    def __init__(self, link: Link, inbox: Inbox, clock: Callable[[], int]) -> None:
        super().__init__(f"mqtt {link.broker}")
        self._link, self._inbox, self._clock = link, inbox, clock
        self._holding = Holding(link)

    def _run(self) -> None:
        pause, gathering = 0.5, Gathering(self._link)
        while not self._over.is_set():
            self._wait()
            if self._holds(self._clock()):
                continue
            gathering.wait()
            batch = self._link.received()
            if not batch:
                continue
            if self._stored(incoming(batch, self._holding.taken(self._clock()))):
                self._link.ack(batch)
                pause = 0.5
            elif not self._over.is_set():
                self._link.abort()  # the broker keeps what is not acknowledged
                self._over.wait(random.uniform(0.1, pause))
                pause = min(2 * pause, _LONGEST_S)
        self._link.close()

    def _wait(self) -> None:
        """Until there are messages, or those that wait are to be handed over."""
        due, until = self._inbox.due - _BEFORE_MS, math.inf
        if self._link.held:
            if self._link.is_quiet:
                self._holding.collect(due, self._clock, [])
            until = min(self._holding.until(), due) - self._clock()
        wait([self._link], min(max(until, 0) / 1000, _LOOK_S))

    def _holds(self, now: int) -> bool:
        """Whether received messages wait for the gateway's next flush. `now`: ms UTC."""
        return self._holding.holds(now) and now < self._inbox.due - _BEFORE_MS

    def _stored(self, batch: list[Incoming]) -> bool:
        future = self._inbox.deliver(batch)
        while not self._over.is_set():
            try:
                return future.result(0.5)
            except NotYet:
                continue
        return False
