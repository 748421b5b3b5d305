"""PUBLISH packets of a block of bytes, as a broker sends them (MQTT 3.1.1 and 5, section 3.3). Pure.

Only what the usual message needs: QoS 0 or 1, whole, with a topic. Any other packet is left to the client library.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

_PUBLISH = 0x30
_PUBACK, _NO_IDENTIFIER = b"\x40\x02", b"\0\0"
_FOREIGN = ""  # remembered of a topic whose messages are passed over; no topic of a PUBLISH is empty
_MOST_TOPICS, _LONGEST_TOPIC = 50_000, 128  # whose text is remembered: 20 MB
_LONGEST_HEAD = 5  # bytes: type, and up to four of the length


class Message(NamedTuple):
    """One received PUBLISH. `epoch`: number of its connection; an ack is valid on that connection only.

    `session`: which client at which broker; `began`: the connection with which the broker began that session, 0 where
    it is older than this program. `passed`: how many were passed over since the message before; `first`: the PUBACKs
    of these that go out before its own, because those of a connection keep the order of their messages.
    """

    topic: str
    payload: bytes
    retain: bool
    duplicate: bool
    mid: int
    qos: int
    epoch: int
    session: str = ""
    began: int = 0
    passed: int = 0
    first: bytes = b""


class Found(NamedTuple):
    """`place`: where the first packet begins that was not read; `end`: where it ends by its header.

    It is one of another kind where `end` lies within the block, else it is still incomplete.
    """

    place: int
    end: int


class Reader:
    """Reads PUBLISH packets; `five`: of MQTT 5. `foreign`: whether messages of a topic are for somebody else: they are
    passed over, unread. `acks`: the PUBACKs of those since the last message; `passed`: how many there were in all.
    """

    def __init__(self, five: bool, foreign: Callable[[str], bool] | None = None) -> None:
        self._five, self._foreign = five, foreign
        self._topics: dict[bytes, str] = {}
        self.acks = bytearray()
        self.passed = self._reported = 0

    def read(self, block: bytes, place: int, out: list[Message], limit: int, of: tuple[int, str, int]) -> Found:
        """Append the messages from `place` on to `out` until it has `limit`. `of`: epoch, session and began of each."""
        size, topics, five, acks = len(block), self._topics, self._five, self.acks
        new = tuple.__new__  # what the constructor of a NamedTuple calls, at half its price
        nothing = 0, b""  # passed over before a message
        while len(out) < limit:
            # The usual length has one or two bytes: spelled out, because a call for each packet is a fifth of all here.
            if place + 2 < size and (first := block[place + 1]) < 0x80:
                start, end = place + 2, place + 2 + first
            elif place + 2 < size and (second := block[place + 2]) < 0x80:
                start, end = place + 3, place + 3 + (first & 0x7F | second << 7)
            else:
                start, end = packet(block, place)
            if end > size or (head := block[place]) & 0xF4 != _PUBLISH or end - start < 2:
                return Found(place, end)  # incomplete; another kind, or QoS 2; not valid
            body = start + 2 + (block[start] << 8 | block[start + 1])
            name, identifier = block[start + 2 : body], b""
            if head & 2:
                identifier = block[body : body + 2]
                body += 2
            if five and body < end:
                count, body = number(block, body)
                body += count
            if body > end or not name or identifier == _NO_IDENTIFIER:
                return Found(place, end)  # not valid, or a topic alias, which was not allowed: the library decides
            topic = topics.get(name)
            if topic is None:
                topic = self._learn(name)
            place = end
            if topic is _FOREIGN:
                self.passed += 1
                if identifier:
                    acks += _PUBACK + identifier
                continue
            mid, qos = (identifier[0] << 8 | identifier[1], 1) if identifier else (0, 0)
            before = self._taken() if qos and self.passed != self._reported else nothing
            out.append(new(Message, (topic, block[body:end], head & 1 > 0, head & 8 > 0, mid, qos, *of, *before)))
        return Found(place, packet(block, place)[1])

    def after_passed(self, message: Message) -> Message:
        """The message, with what was passed over before it."""
        passed, first = self._taken() if message.qos else (0, b"")
        return message._replace(passed=passed, first=first)

    def _taken(self) -> tuple[int, bytes]:
        """`passed` and `first` of the next message."""
        passed, self._reported = self.passed - self._reported, self.passed
        return passed, self.taken_acks()

    def taken_acks(self) -> bytes:
        """The PUBACKs of what was passed over since the last message; they are the caller's from now on."""
        taken = bytes(self.acks)
        self.acks.clear()
        return taken

    def _learn(self, name: bytes) -> str:
        topic = name.decode("utf-8", "replace")
        if self._foreign is not None and self._foreign(topic):
            topic = _FOREIGN
        if len(name) <= _LONGEST_TOPIC:
            if len(self._topics) >= _MOST_TOPICS:
                self._topics.clear()
            self._topics[name] = topic
        return topic


def packet(block: bytes, place: int) -> tuple[int, int]:
    """Where the body of the packet at `place` begins and ends; beyond the block where its header is incomplete.

    One with a length of more than four bytes ends with the fifth: its reader finds it there.
    """
    if place + 1 < len(block) and (first := block[place + 1]) < 0x80:  # the usual lengths
        return place + 2, place + 2 + first
    if place + 2 < len(block) and (second := block[place + 2]) < 0x80:
        return place + 3, place + 3 + (first & 0x7F | second << 7)
    if place + _LONGEST_HEAD > len(block) and all(byte & 0x80 for byte in block[place + 1 :]):
        return len(block) + 1, len(block) + 1
    count, start = number(block, place + 1)
    return start, start + (count if block[start - 1] < 0x80 else 1)


def number(block: bytes, place: int) -> tuple[int, int]:
    """A variable byte integer (section 1.5.5) of at most four bytes at `place`, and where it ends."""
    value = shift = 0
    while place < len(block):
        byte = block[place]
        place += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80 or shift == 28:
            break
    return value, place
