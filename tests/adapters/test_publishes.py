"""PUBLISH packets out of blocks of any size: what a broker has sent comes out, whatever stands between."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import paho.mqtt.client as paho
import pytest

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link
from adapters.mqtt.publishes import Message, Reader, number, packet

ORIGIN = (3, "me at broker", 2)
PINGRESP, PUBACK = b"\xd0\x00", b"\x40\x02\x00\x07"


def length(count: int) -> bytes:
    """A variable byte integer, as the example of the standard writes it."""
    out = bytearray()
    while True:
        count, digit = divmod(count, 128)
        out.append(digit | (128 if count else 0))
        if not count:
            return bytes(out)


def publish(topic: str, payload: bytes, qos: int, mid: int, flags: int = 0, properties: bytes | None = None) -> bytes:
    """A PUBLISH. `flags`: 1 retain, 8 DUP; `properties`: of MQTT 5, None for MQTT 3.1.1."""
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + (mid.to_bytes(2, "big") if qos else b"")
    body += b"" if properties is None else length(len(properties)) + properties
    body += payload
    return bytes([0x30 | flags | qos << 1]) + length(len(body)) + body


class Socket:
    """Gives prepared blocks, an empty one at the end of the connection."""

    def __init__(self, blocks: list[bytes]) -> None:
        self.blocks = blocks

    def recv(self, _size: int) -> bytes:
        """The next block."""
        if not self.blocks:
            raise BlockingIOError
        return self.blocks.pop(0)

    def send(self, data: bytes) -> int:
        """Accept everything."""
        return len(data)

    def fileno(self) -> int:
        """None that select knows."""
        return -1

    def close(self) -> None:
        """Nothing to do."""


def blocks_of(data: bytes, rng: random.Random) -> list[bytes]:
    """The data cut at random places."""
    cuts = sorted({0, len(data), *(rng.randrange(len(data)) for _ in range(rng.choice([0, 3, 60, 900])))})
    return [data[a:b] for a, b in pairwise(cuts)]


def linked(version: str, blocks: list[bytes]) -> Link:
    """A link that is connected to such a socket."""
    link = Link(Broker("127.0.0.1", 1, version=version), "reader")
    link._client._sock = Socket(blocks)  # type: ignore[assignment]
    link.connected, link.epoch = True, 1
    return link


def read_all(link: Link, limit: int) -> list[Message]:
    """Everything that is there, `limit` messages at a time."""
    found: list[Message] = []
    for _ in range(3000):
        link._read(limit)
        batch = link.received(limit)
        if not batch and not link._client.has_unread and not getattr(link._client._sock, "blocks", None):
            return found
        found += batch
    raise AssertionError("it never ends")


@pytest.mark.parametrize("version", ["3.1.1", "5"])
@pytest.mark.parametrize("seed", range(12))
def test_any_cut_of_the_stream_gives_the_messages_that_were_sent(version: str, seed: int) -> None:
    rng, five = random.Random(f"{version} {seed}"), version == "5"
    sent: list[tuple[Any, ...]] = []
    data = b""
    for _ in range(rng.randrange(1, 60)):
        payload = rng.randbytes(rng.choice([0, 1, 100, 125, 126, 127, 128, 16_300, 16_384, 70_000]))
        topic, qos, retain = rng.choice(["a", "cv/1/x/ä/data", "l" * 200]), rng.randrange(2), rng.random() < 0.3
        mid, again = rng.randrange(1, 65_536) if qos else 0, qos == 1 and rng.random() < 0.3
        properties = rng.choice([b"", b"\x01\x01", b"\x26" + b"\x00\x60" + b"k" * 96 + b"\x00\x60" + b"v" * 96])
        data += publish(topic, payload, qos, mid, retain + 8 * again, properties if five else None)
        data += rng.choice([b"", b"", PINGRESP, PUBACK, PUBACK * 3 + PINGRESP])
        sent.append((topic, payload, retain, again, mid, qos))
    got = read_all(linked(version, blocks_of(data, rng)), rng.choice([1, 7, 2000]))
    assert [m[:6] for m in got] == sent
    assert {m[6:] for m in got} == {(1, "reader at 127.0.0.1:1", 0, 0, b"")}


def test_what_is_unusual_is_read_by_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    handle = paho.Client._handle_publish

    def note(client: paho.Client) -> Any:
        seen.append(bytes(client._in_packet["packet"]))
        return handle(client)

    monkeypatch.setattr(paho.Client, "_handle_publish", note)
    usual, at_most_two = publish("t", b"one", 1, 1), publish("t", b"two", 2, 2)
    got = read_all(linked("3.1.1", [usual + at_most_two + usual]), 2000)
    assert [m.payload for m in got] == [b"one", b"one"]
    assert seen == [b"\x00\x01t\x00\x02two"]


def test_a_connection_that_ends_is_noticed() -> None:
    link = linked("3.1.1", [publish("t", b"x", 1, 1), b""])
    link._read(2000)
    assert [m.payload for m in link.received()] == [b"x"]
    assert not link.connected
    assert link.fileno() == -1


def test_random_bytes_are_never_read_beyond_their_end() -> None:
    rng = random.Random(5)
    for _ in range(20_000):
        data = bytes(rng.choice((0x30, 0x32, 0x80, 0xFF, 0, 2, rng.randrange(256))) for _ in range(rng.randrange(12)))
        out: list[Message] = []
        place, end = Reader(rng.random() < 0.5).read(data, 0, out, 100, ORIGIN)
        assert 0 <= place <= len(data) < end or end > place
        assert sum(len(m.payload) + len(m.topic) for m in out) <= 3 * len(data)


@pytest.mark.parametrize(
    ("head", "begin", "end"),
    [
        (b"", 1, 1), (b"\x30", 2, 2), (b"\x30\x00", 2, 2), (b"\x30\x7f", 2, 129), (b"\x30\x80", 3, 3),
        (b"\x30\x80\x01", 3, 131), (b"\x30\xff\xff\xff\x7f", 5, 268_435_460), (b"\x30\xff\xff\xff\xff\x01", 5, 6),
    ],
)  # fmt: skip
def test_the_head_of_a_packet_says_where_it_ends(head: bytes, begin: int, end: int) -> None:
    assert packet(head, 0) == (begin, end)  # beyond the bytes where the head is not whole


def test_numbers_are_those_of_the_standard() -> None:
    for value in (0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455):
        assert number(b"?" + length(value) + b"?", 1) == (value, 1 + len(length(value)))
