"""What a hostile device sends: each attack gives topics and payloads for about a second; chosen at random by a seed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

CITY, EVIL = "chaos", "evil"
DATA, FLAT = f"cv/1/{CITY}/{EVIL}/data", f"cv/1/{CITY}/{EVIL}/flat"


class Shot(NamedTuple):
    """A message of the attacker."""

    topic: str
    payload: bytes
    retain: bool = False


def new_boots(rng: Random, now: int) -> Iterator[Shot]:
    """Every record begins another boot."""
    for _ in range(20):
        boots = [rng.randrange(1 << 32) for _ in range(60)]
        yield Shot(
            DATA, _pack([{"boot": b, "seq": 0, "n": "no2", "v": 1, "bt": now / 1000 - i} for i, b in enumerate(boots)])
        )


def large_packs(rng: Random, now: int) -> Iterator[Shot]:
    """175 kB of numbers and nothing else."""
    for _ in range(3):
        yield Shot(DATA, _pack([{"boot": rng.randrange(1 << 32), "seq": 1} for _ in range(5500)]))
        yield Shot(DATA, _pack([{"boot": i % 60, "seq": 2 * i} for i in range(4900)]))


def holes(rng: Random, now: int) -> Iterator[Shot]:
    """Every second record is missing, in as many boots as are kept."""
    start = rng.randrange(900_000)
    for boot in range(30):
        yield Shot(
            DATA,
            _pack([{"boot": boot, "seq": start + 2 * i, "n": "no2", "v": 1, "bt": now / 1000} for i in range(150)]),
        )


def undated(rng: Random, now: int) -> Iterator[Shot]:
    """Readings without a time, three a millisecond, with numbers that begin again."""
    for i in range(1500):
        yield Shot(f"cv/1/{CITY}/{EVIL}/flat", b'{"boot":1,"seq":%d,"power":%d}' % (i % 50, rng.randrange(1000)))


def cities(rng: Random, now: int) -> Iterator[Shot]:
    """Cities that nobody has heard of."""
    for _ in range(2000):
        yield Shot(f"cv/1/city{rng.randrange(1 << 40)}/{EVIL}/data", b'[{"n":"no2","v":1}]')


def garbage(rng: Random, now: int) -> Iterator[Shot]:
    """What no decoder can read: noise, deep nesting, huge numbers, names without end."""
    for _ in range(60):
        yield rng.choice(
            [
                Shot(DATA, rng.randbytes(rng.randrange(1, 15_000))),
                Shot(DATA, b"[" * 20_000),
                Shot(DATA, _pack([{"n": f"q{rng.randrange(1 << 60)}", "v": 1} for _ in range(300)])),
                Shot(DATA, _pack([{"n": "no2", "v": 1e308, "bt": 1e300, "boot": 2**60, "seq": -1}])),
                Shot(DATA, b""),
            ]
        )


def retained(rng: Random, now: int) -> Iterator[Shot]:
    """Refused messages that the broker keeps."""
    for end in ("data", "flat"):
        yield Shot(f"cv/1/{CITY}/{EVIL}/{end}", rng.randbytes(5000), True)


def sessions(rng: Random, now: int) -> Iterator[Shot]:
    """Charging sessions of 90 days: a small message that makes thousands of rows."""
    for _ in range(3):
        begin = now / 1000 - rng.randrange(90, 300) * 86_400
        pack = [
            {"n": "session_energy", "v": 1, "bt": begin + i, "end": begin + 89 * 86_400, "key": str(rng.random())}
            for i in range(9)
        ]
        yield Shot(DATA, _pack(pack))


def fill(rng: Random, now: int) -> Iterator[Shot]:
    """As many readings as fit into a megabyte, at times spread over a year."""
    for _ in range(8):
        pack = [{"n": "no2", "v": 1, "t": now / 1000 - rng.randrange(30_000_000)} for _ in range(2000)]
        yield Shot(DATA, _pack(pack))


def long_topics(rng: Random, now: int) -> Iterator[Shot]:
    """Empty messages whose topics are as long as MQTT allows."""
    for _ in range(16):
        yield Shot(f"cv/1/{'x' * 60_000}{rng.randrange(1 << 30)}/{EVIL}/flat", b"")


def tiny(rng: Random, now: int) -> Iterator[Shot]:
    """As many messages as possible, each refused."""
    for i in range(2000):
        yield Shot(DATA, b"%d" % i)


def single(rng: Random, now: int) -> Iterator[Shot]:
    """As many messages as possible, each with one good reading of its own time."""
    for i in range(2000):
        yield Shot(DATA, b'[{"n":"no2","v":1,"t":%d.%03d}]' % (now // 1000 - rng.randrange(80_000), i % 1000))


def again(rng: Random, now: int) -> Iterator[Shot]:
    """The same readings again and again."""
    for _ in range(20):
        yield Shot(DATA, _pack([{"n": "no2", "v": 1, "t": now // 60_000_000 * 60_000 - i} for i in range(1000)]))


def changing(rng: Random, now: int) -> Iterator[Shot]:
    """The same readings with other values, so that each time their windows have changed."""
    for _ in range(20):
        value = rng.random()
        yield Shot(
            DATA, _pack([{"n": "no2", "v": value, "t": now // 60_000_000 * 60_000 - 60 * i} for i in range(1000)])
        )


def channels(rng: Random, now: int) -> Iterator[Shot]:
    """A meter of its own for every value."""
    for _ in range(4):
        pack: list[dict[str, object]] = [{"boot": 1, "seq": rng.randrange(1000)}]
        pack += [{"n": f"c{rng.randrange(1 << 40)}/power", "v": 1} for _ in range(4000)]
        yield Shot(DATA, _pack(pack))


def texts(rng: Random, now: int) -> Iterator[Shot]:
    """Refused records that quote what might name a user."""
    for _ in range(8):
        record = {"vs": "user" * 10, "v": "x"}
        pack: list[dict[str, object]] = [{"n": f"card{rng.randrange(1 << 40)}", **record} for _ in range(1500)]
        yield Shot(DATA, _pack(pack))


def labels(rng: Random, now: int) -> Iterator[Shot]:
    """What makes a reader look twice: escapes, labels that must be understood, records of the wrong types."""
    for _ in range(8):
        pack = [{"n": "no2", "v": "\u00fc", "x_y": i, "t": "now"} for i in range(2000)]
        yield Shot(DATA, json.dumps(pack).encode())
        yield Shot(DATA, _pack([{"n": "no2", "v": 1, "must_": 1}] * 3000))


def nested(rng: Random, now: int) -> Iterator[Shot]:
    """Objects in objects, for formats that look for names and units in them."""
    for _ in range(8):
        deep: object = {"value": 1, "unit": "W"}
        for i in range(80):
            deep = {f"k{i}": deep, "power": {"value": i, "unit": "furlong"}}
        wide = {f"name{rng.randrange(1 << 40)}": {"value": 1, "unit": "W"} for _ in range(3000)}
        yield Shot(FLAT, json.dumps(deep).encode())
        yield Shot(FLAT, json.dumps(wide).encode())


def largest(rng: Random, now: int) -> Iterator[Shot]:
    """Messages at the limit of the payload and beyond."""
    for size in (255 << 10, 257 << 10, 1 << 20):
        yield Shot(DATA, b"[" + b'{"n":"no2","v":1},' * (size // 18) + b'{"n":"no2","v":1}]')


def flagged(rng: Random, now: int) -> Iterator[Shot]:
    """Values that no instrument can have, each with a reason of its own."""
    for _ in range(20):
        yield Shot(DATA, _pack([{"n": "no2", "v": -1e6 * rng.random(), "t": now / 1000 - i} for i in range(1000)]))


_MADE = (
    new_boots, large_packs, holes, undated, cities, garbage, retained, sessions, fill, long_topics, tiny, single, again,
    changing, channels, texts, labels, nested, largest, flagged,
)  # fmt: skip
ATTACKS: dict[str, Callable[[Random, int], Iterator[Shot]]] = {made.__name__: made for made in _MADE}


def _pack(records: list[dict[str, object]]) -> bytes:
    return json.dumps(records, separators=(",", ":")).encode()
