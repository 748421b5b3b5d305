"""What each attack costs: `python -m tests.hostile.cost`. Processor time, which a shared machine does not distort.

The gateway's core and ingest are called in this process as their services call them, with prepared messages: no
broker, no sockets. A round is one second at 1 MB/s. The share of a core that an attack takes at 1 MB/s decides whether
the others are served in time.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import NamedTuple

from adapters.sqlite.buffer import Buffer
from adapters.sqlite.store import SqliteStore
from gateway.core import Core, Incoming, Source
from gateway.decoding.decoded import SourceOptions
from ingest.core import Ingest
from registry.city import City
from telemetry.partials import Partials
from telemetry.windows import MINUTE
from telemetry.wire import decode, encode
from tests.hostile.attacks import ATTACKS, CITY, EVIL, Shot
from tests.marked import put

BYTES_A_SECOND = 1 << 20
BATCH = 2000  # messages; the link gives the gateway no more at once
START = 1_785_000_000_000  # ms UTC
HONEST = 200  # messages a second
_KEYED = SourceOptions(secret=b"key")
BEGIN = "<!-- the table of attacks: python -m tests.hostile.cost --table docs/security.md -->"
END = "<!-- end of the table of attacks -->"


class Cost(NamedTuple):
    """Of one attack. `messages`, `bytes`: sent; seconds of processor time."""

    attack: str
    rounds: int
    messages: int
    bytes: int
    gateway_s: float
    ingest_s: float

    @property
    def row(self) -> list[str]:
        """Cells: attack, messages a second, microseconds a message, share of a core of gateway and of ingest."""
        each = 1e6 * self.gateway_s / max(self.messages, 1)
        shares = (100 * s * BYTES_A_SECOND / max(self.bytes, 1) for s in (self.gateway_s, self.ingest_s))
        return [self.attack, f"{self.messages / self.rounds:,.0f}", f"{each:,.0f}", *(f"{s:.0f} %" for s in shares)]


@dataclass
class Bench:
    """A gateway and an ingest without any network."""

    core: Core
    ingest: Ingest
    gateway_s: float = 0.0
    ingest_s: float = 0.0

    @staticmethod
    def made(folder: Path) -> Bench:
        """With two registered devices: an honest one, and the one that is not."""
        sources = [
            Source("cv/1/{city}/{device}/data", "senml", options=_KEYED),
            Source("cv/1/{city}/{device}/flat", "flat_json", options=_KEYED),
        ]
        buffer = Buffer(folder / "gateway.db", MINUTE)
        buffer.limit(512 << 20)
        core = Core(buffer, sources, served={CITY: frozenset()})
        ingest = Ingest(SqliteStore(folder / "store.db"))
        place = {"id": CITY, "name": "Chaos", "country": "NG", "timezone": "Africa/Lagos"}
        devices = [{"id": name, "kind": "air_lowcost", "quantities": ["no2"]} for name in ("h0", EVIL)]
        ingest.add_city(City.model_validate({"city": place, "device": devices}), MINUTE)
        return Bench(core, ingest)

    def second(self, shots: Sequence[Shot], now: int) -> None:
        """Store what came in a second, then send what changed."""
        messages = [Incoming(s.topic, s.payload, retain=s.retain) for s in shots]
        began = time.process_time()
        for start in range(0, len(messages), BATCH):
            self.core.accept(messages[start : start + BATCH], now)
        dirty, partials = self.core.pending()
        parcels = self.core.assign_messages(dirty, partials, now)
        sent = [encode(p.city, MINUTE, p.partials, self.core.buffer.table, p.number) for p in parcels]
        if parcels:
            self.core.buffer.confirm_messages(CITY, [p.number for p in parcels])
        between = time.process_time()
        self.gateway_s += between - began
        if sent:
            self.ingest.take(CITY, Partials.concat([decode(s, self.ingest.table)[2] for s in sent]).latest())
            for city in self.ingest.cities.values():
                city.derive(now, bounded=True)
        self.ingest_s += time.process_time() - between


def rounds(name: str, rng: Random, count: int) -> Iterator[tuple[int, list[Shot]]]:
    """The messages of each second: as many shots as make a megabyte."""
    made: Iterator[Shot] = iter(())
    for number in range(count):
        now, size, shots = START + 1000 * number, 0, list[Shot]()
        while size < BYTES_A_SECOND:
            shot = next(made, None)
            if shot is None:
                made = ATTACKS[name](rng, now)
                continue
            shots.append(shot)
            size += len(shot.topic) + len(shot.payload) + 20
        yield now, shots


def measure(name: str, seconds: int, seed: int = 1) -> Cost:
    """Run an attack for some seconds of its own time."""
    made = list(rounds(name, Random(seed), seconds))
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench.made(Path(folder))
        gc.collect()
        for now, shots in made:
            bench.second(shots, now)
        bench.core.buffer.close()
        bench.ingest.store.close()
    sent = [shot for _, shots in made for shot in shots]
    size = sum(len(s.topic) + len(s.payload) + 20 for s in sent)
    return Cost(name, seconds, len(sent), size, bench.gateway_s, bench.ingest_s)


def table(costs: Sequence[Cost]) -> list[str]:
    """As Markdown, the dearest first."""
    head = (
        "| attack at 1 MB/s | messages/s | gateway, µs a message | gateway, share of a core | ingest, share of a core |"
    )
    ordered = sorted(costs, key=lambda c: -(c.gateway_s + c.ingest_s) / c.bytes)
    return [head, "|---|---|---|---|---|", *(f"| {' | '.join(c.row)} |" for c in ordered)]


def main() -> None:
    """Measure all attacks, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("attack", nargs="*", default=list(ATTACKS))
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--table", type=Path, help="a Markdown file whose table is remade")
    options = parser.parse_args()
    costs = []
    for name in options.attack:
        costs.append(measure(name, options.seconds))
        print(*costs[-1].row, sep="\t", flush=True)
    if options.table:
        put(options.table, BEGIN, END, table(costs))


if __name__ == "__main__":
    main()
