"""The hostile process: `python -m tests.hostile.attacker PORT SEED SECONDS`. One valid user, up to 1 MB/s.

Attacks follow each other at random; what was sent is printed as JSON at the end.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from random import Random

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link, wait
from tests.hostile.attacks import ATTACKS, EVIL, Shot

BYTES_A_SECOND = 1 << 20
_OVERHEAD = 20  # bytes of a message beside topic and payload
_UNDER_WAY = 2000  # messages the broker has not acknowledged


def attack(port: int, seed: int, seconds: float) -> tuple[dict[str, int], float]:
    """Send; returns how often each attack began, and the megabytes."""
    rng, done, sent = Random(seed), Counter[str](), 0.0
    link = _link(port, EVIL)
    shots: Iterator[Shot] = iter(())
    began = last = time.monotonic()
    allowed = 0.0
    while (now := time.monotonic()) - began < seconds:
        wait([link], 0.005)
        link.delivered()
        allowed, last = min(allowed + (now - last) * BYTES_A_SECOND, BYTES_A_SECOND), now
        while allowed > 0 and link.connected and len(link._client._out_messages) < _UNDER_WAY:
            shot = next(shots, None)
            if shot is None:
                name = rng.choice(sorted(ATTACKS))
                done[name] += 1
                shots = ATTACKS[name](rng, time.time_ns() // 1_000_000)
                if rng.random() < 0.1:
                    _take_over(port)
                continue
            link.publish(shot.topic, shot.payload, retain=shot.retain)
            size = len(shot.topic) + len(shot.payload) + _OVERHEAD
            allowed, sent = allowed - size, sent + size
    link.close()
    return dict(done), sent / (1 << 20)


def _link(port: int, client: str) -> Link:
    return Link(Broker("127.0.0.1", port, username=EVIL, password=EVIL), client, session=False)


def _take_over(port: int) -> None:
    """Connect with the client id of the gateway and our own password."""
    thief = _link(port, "gateway-1-in")
    until = time.monotonic() + 1
    while not thief.connected and time.monotonic() < until:
        thief.receive(0.02)
    thief.abort()


if __name__ == "__main__":
    print(json.dumps(attack(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))))
