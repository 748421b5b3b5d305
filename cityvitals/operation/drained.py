"""Sessions at brokers that are read up to one mark, so that all of them have had the same messages."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adapters.mqtt.broker import Broker
from adapters.mqtt.broker_settings import broker
from adapters.mqtt.link import Link, Message, wait
from cityvitals.clock import now_ms
from gateway.core import Core
from gateway.doors.mqtt import incoming
from registry.settings import GatewaySettings
from telemetry.errors import CityVitalsError

MARK = "cv/1/share"  # the topic of the marks


@dataclass(slots=True)
class Session:
    """The session of a gateway at a broker. `core`: what takes its messages, None where all are another gateway's."""

    broker: Broker
    client_id: str
    filters: list[str]
    core: Core | None

    @staticmethod
    def of(s: GatewaySettings, core: Core, takes: bool) -> Iterator[Session]:
        """Those of a gateway, as `cityvitals gateway` has them."""
        filters = list(dict.fromkeys(source.filter for source in core.sources))
        for number, settings in enumerate([s.broker, *s.brokers], start=1):
            name = f"{s.id}-in" if number == 1 else f"{s.id}-in-{number}"
            yield Session(broker(settings), name, [*filters, MARK], core if takes else None)

    def link(self) -> Link:
        """A connection, not made yet."""
        return Link(self.broker, self.client_id, self.filters)


class _Silent:
    """Raises CityVitalsError where nothing happens for `wait_s`."""

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        self.note()

    def note(self) -> None:
        """Something happened."""
        self._until = time.monotonic() + self._wait_s

    def check(self, link: Link) -> None:
        """Look at the clock."""
        if time.monotonic() > self._until:
            raise CityVitalsError(
                f"{link.broker} sends {link.client_id} no mark ({link.state or 'no answer'}). Its user must be allowed"
                f" to read and write the topic {MARK}; a session whose queue is full loses the mark: call it again."
            )


def drain(sessions: Sequence[Session], wait_s: float) -> int:
    """Store and acknowledge what came before a new mark, and nothing after it; how many messages. Raises Unavailable,
    CityVitalsError.

    In the end each session is opened once more: that it begins with the mark shows that the broker has had every
    acknowledgement, so nothing of before will be delivered to a gateway that has another part then.
    """
    token, taken = secrets.token_hex(8).encode(), 0
    pairs = [(session, session.link()) for session in sessions]
    silent, marked = _Silent(wait_s), False
    try:
        while pairs:
            wait([link for _, link in pairs], 0.2)
            # A session that its broker does not know yet must have begun before the mark.
            if not marked and all(link.state.startswith("connected") for _, link in pairs):
                marked = True
                for link in {str(link.broker): link for _, link in pairs}.values():
                    link.publish(MARK, token)
            for session, link in list(pairs):
                if batch := link.received():
                    silent.note()
                    before, mark = _until(batch, token)
                    taken += _store(session, link, before)
                    if mark:
                        link.close()
                        pairs.remove((session, link))
                else:
                    silent.check(link)
    finally:
        for _, link in pairs:
            link.abort()
    for session in sessions:
        while not _begins_with_mark(session, token, wait_s):
            pass
    return taken


def _until(batch: Sequence[Message], token: bytes) -> tuple[list[Message], Message | None]:
    """The messages before the mark, and the mark."""
    for place, message in enumerate(batch):
        if message.topic == MARK and message.payload == token:
            return list(batch[:place]), message
    return list(batch), None


def _store(session: Session, link: Link, messages: Sequence[Message]) -> int:
    mine = incoming(m for m in messages if m.topic != MARK)
    if session.core is not None and mine:
        session.core.accept(mine, now_ms())
    link.ack(messages)
    return len(mine) if session.core is not None else 0


def _begins_with_mark(session: Session, token: bytes, wait_s: float) -> bool:
    """Open the session; whether the first message is the mark, which is acknowledged then."""
    link, silent, clean = session.link(), _Silent(wait_s), True
    try:
        while True:
            batch = link.receive(0.2)
            before, mark = _until(batch, token)
            clean = clean and not before
            _store(session, link, before)
            if mark:
                if clean:
                    link.ack([mark])
                link.close()
                return clean
            silent.check(link)
    finally:
        link.abort()
