"""The faults, one function each: it does the damage and returns what undoes it.

`TARGETS` says what a fault takes hold of; two faults never hold the same thing at once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.chaos.world import LINKS, World

Undo = Callable[[], None]


class Planned(NamedTuple):
    """A fault of the schedule: seconds from the start, its name, what it takes hold of, for how many seconds."""

    at: float
    name: str
    target: str
    length: float


def kill(world: World, target: str) -> Undo:
    """SIGKILL of one of our processes."""
    world.note_end(target)
    process = world.process(target)
    process.kill()
    process.wait()
    return lambda: world.run(target)


def stop(world: World, target: str) -> Undo:
    """SIGTERM of one of our processes, which ends it in good order."""
    world.end(target)
    return lambda: world.run(target)


def freeze(world: World, target: str) -> Undo:
    """SIGSTOP of any process."""
    world.freeze(target, True)
    return lambda: world.freeze(target, False)


def restart_server(world: World, target: str) -> Undo:
    """A broker or the store ends in good order and comes back with all its data."""
    server = world.servers()[target]
    server.stop()
    return server.start


def crash_server(world: World, target: str) -> Undo:
    """A broker or the store is killed and comes back with what it had written to disk by then."""
    server = world.servers()[target]
    server.kill()
    return server.start


def lose_broker(world: World, target: str) -> Undo:
    """A broker is killed and comes back with nothing: no sessions, no queues."""
    server = world.servers()[target]
    server.kill()
    for kept in server.folder.glob("mosquitto.db*"):
        kept.unlink()
    return server.start


def _link(mode: str) -> Callable[[World, str], Undo]:
    def fault(world: World, target: str) -> Undo:
        world.proxies[target].set(mode)
        return lambda: world.proxies[target].set("open")

    return fault


def _line(mode: str) -> Callable[[World, str], Undo]:
    def fault(world: World, target: str) -> Undo:
        line = world.lines[target.removesuffix(" line")]
        line.set(mode)
        return lambda: line.set("open")

    return fault


def lock_store(world: World, target: str) -> Undo:
    """Somebody else holds the SQLite store's write lock."""
    db = sqlite3.connect(world.folder / "store.db", isolation_level=None, timeout=5)
    with suppress(sqlite3.OperationalError):
        db.execute("BEGIN IMMEDIATE")
    return db.close


def fill_disk(world: World, target: str) -> Undo:
    """The gateway's disk is full."""
    assert world.disk is not None
    ballast = world.disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 65536)
    return ballast.unlink


def jump_clock(world: World, target: str) -> Undo:
    """Gateway and ingest see a clock that is hours ahead, then right again."""
    world.clock_file.write_text(str(3 * 3_600_000))
    return lambda: _write(world.clock_file, "0")


def _write(path: Path, text: str) -> None:
    path.write_text(text)


def repeat(world: World, target: str) -> Undo:
    """Nodes resend what was stored long ago."""
    world.fleet.repeat(0.3)
    return lambda: None


def reorder(world: World, target: str) -> Undo:
    """Nodes hold records back and then send them in any order."""
    world.fleet.holding = True
    return world.fleet.release


def reboot(world: World, target: str) -> Undo:
    """A node loses power."""
    world.fleet.reboot(world.fleet.nodes[int(target.partition(" ")[2])])
    return lambda: None


FAULTS: dict[str, Callable[[World, str], Undo]] = {
    "kill": kill,
    "stop": stop,
    "freeze": freeze,
    "restart server": restart_server,
    "crash server": crash_server,
    "lose broker": lose_broker,
    "cut link": _link("cut"),
    "stall link": _link("stall"),
    "slow link": _link("slow"),
    "unplug line": _line("unplugged"),
    "dead line": _line("dead"),
    "deaf line": _line("deaf"),
    "mute line": _line("mute"),
    "thin line": _line("thin"),
    "lock store": lock_store,
    "full disk": fill_disk,
    "clock jump": jump_clock,
    "repeat": repeat,
    "reorder": reorder,
    "reboot node": reboot,
}
_ONCE = {"repeat", "reboot node"}


def targets(world: World) -> dict[str, list[str]]:
    """What each fault can take hold of in this world."""
    links = [name for name in LINKS if name in world.proxies]
    processes = ["gateway", "ingest"]
    lines = [f"{name} line" for name in world.lines]
    influx = ["influx"] if world.influx else []
    brokers = ["edge", "hub"]
    return {
        "kill": processes * 2,
        "stop": processes,
        "freeze": processes + brokers + influx,
        "restart server": brokers + influx,
        # Without records to resend, nodes cannot replace what a broker forgets.
        "crash server": (brokers if world.keeping else ["hub"]) + influx,
        "lose broker": brokers if world.keeping else ["hub"],
        "cut link": links,
        "stall link": links,
        "slow link": links,
        **{fault: lines for fault in FAULTS if fault.endswith(" line")},
        "lock store": [] if world.influx else ["store"],
        "full disk": ["disk"] if world.disk else [],
        "clock jump": ["clock"],
        "repeat": ["nodes"],
        "reorder": ["nodes"],
        "reboot node": [f"node {n}" for n in range(len(world.fleet.nodes))][:2] if world.keeping else [],
    }


def schedule(
    world: World, rng: Random, seconds: float, only: Sequence[str] = (), pause: float = 2.5
) -> Iterator[Planned]:
    """Faults at random times; the same seed gives the same ones in the same kind of world."""
    possible = [(name, places) for name, places in targets(world).items() if places and (not only or name in only)]
    free_at: dict[str, float] = {}
    at = 1.0
    while (at := at + rng.expovariate(1 / pause)) < seconds:
        name, places = rng.choice(possible)
        target = rng.choice(places)
        length = 0.1 if name in _ONCE else rng.uniform(0.2, 10.0 if rng.random() < 0.2 else 3.0)
        if name.endswith(" line") and rng.random() < 0.25:  # so long that one end gives up and the other knows nothing
            length = min(rng.uniform(20.0, 55.0), max(seconds - at, 3.0))
        if name == "lock store" and rng.random() < 0.5:  # longer than who wants to write waits for it
            length = rng.uniform(11.0, 15.0)
        if free_at.get(target, 0.0) < at:
            free_at[target] = at + length + 1.0
            yield Planned(at, name, target, length)
