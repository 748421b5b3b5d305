"""Many OCPP stations at once, 1.6 and 2.0.1: energy and sessions are those of an independent sum.

Of their sessions some are sent as they happen, some afterwards (2.0.1: in any order), some with a clock that is not set
or ahead; every third call is sent twice, and connections end in between. 40 stations; 200 with CITYVITALS_LONG=1.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import defaultdict
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from telemetry.stamps import read_stamp
from tests.gateway.doors.door_bench import DoorBench, recent
from tests.gateway.doors.test_ocpp import call16, call201, rows, with_station

STATIONS = 200 if os.environ.get("CITYVITALS_LONG") else 40
VERSIONS = ("ocpp1.6", "ocpp2.0.1")
pytestmark = pytest.mark.timeout(600)


class Session(NamedTuple):
    """Register at its begin, energy (Wh), and its times as the station writes them. `late`: sent afterwards."""

    begin: int
    used: int
    start: str
    stop: str
    late: bool


def sessions(random: Random) -> list[Session]:
    """Of one station, one after the other."""
    found, register = [], random.randrange(1000, 10**6)
    for n in range(3):
        used = random.randrange(1, 90_000)
        start, stop = recent(9000 - 3000 * n), recent(7000 - 3000 * n)
        manner = random.choice(["now", "late", "not set", "ahead"])
        if manner in ("not set", "ahead"):
            start = f"1970-01-01T00:0{n}:07Z" if manner == "not set" else f"2099-01-01T0{n}:00:00Z"
        if random.random() < 0.2:
            stop = f"2000-01-01T00:00:0{n}Z"
        found.append(Session(register, used, start, stop, manner == "late"))
        register += used
    return found


async def call(station: Any, body: Any, random: Random) -> Any:
    """A call, every third one twice: its answer was lost."""
    answer = await station.call(body)
    if random.random() < 1 / 3:
        again = await station.call(body)
        assert getattr(again, "transaction_id", 0) == getattr(answer, "transaction_id", 0)
    return answer


async def of_1_6(url: str, name: str, plan: list[Session], random: Random) -> None:
    """One connection a session, or two."""
    for session in plan:
        begin = call16.StartTransaction(1, "card", session.begin, session.start)

        async def started(station: Any, begin: Any = begin) -> int:
            await station.call(call16.BootNotification("model", "vendor"))
            return int((await call(station, begin, random)).transaction_id)

        async def stopped(station: Any, number: int, session: Session = session, begin: Any = begin) -> None:
            assert (await station.call(begin)).transaction_id == number  # it was not sure that it had arrived
            await call(station, call16.StopTransaction(session.begin + session.used, session.stop, number), random)

        number = await with_station(url, name, VERSIONS[0], started)
        await with_station(url, name, VERSIONS[0], lambda s, n=number, f=stopped: f(s, n))


async def of_2_0_1(url: str, name: str, plan: list[Session], random: Random) -> None:
    """What was kept offline is sent in any order."""
    for n, session in enumerate(plan):

        def event(kind: str, t: str, wh: int, session: Session = session, n: int = n) -> Any:
            context = f"Transaction.{'Begin' if kind == 'Started' else 'End'}"
            sample = {"value": wh / 1000, "context": context, "unitOfMeasure": {"unit": "Wh", "multiplier": 3}}
            return call201.TransactionEvent(
                kind, t, "CablePluggedIn" if kind == "Started" else "EVDeparted", 0, {"transactionId": f"{name}/{n}"},
                offline=session.late, evse={"id": 1}, meter_value=[{"timestamp": t, "sampledValue": [sample]}],
            )  # fmt: skip

        events = [
            event("Started", session.start, session.begin),
            event("Ended", session.stop, session.begin + session.used),
        ]
        if session.late:
            random.shuffle(events)

        async def sent(station: Any, events: list[Any] = events) -> None:
            await station.call(call201.BootNotification({"model": "m", "vendorName": "v"}, "PowerUp"))
            for body in events:
                await call(station, body, random)

        await with_station(url, name, VERSIONS[1], sent)


def test_many_stations_at_once_give_the_sum_of_their_registers(tmp_path: Path) -> None:
    plans = {f"st-{n}": sessions(Random(f"13-{n}")) for n in range(STATIONS)}
    began = time.time() * 1000

    async def all_of(url: str) -> None:
        runs = (
            (of_1_6, of_2_0_1)[place % 2](url, name, plan, Random(name))
            for place, (name, plan) in enumerate(plans.items())
        )
        await asyncio.gather(*runs)

    with DoorBench(tmp_path, {"family": "ocpp"}) as bench:
        asyncio.run(all_of(bench.station_url))
        found = rows(bench, "session_energy")
        connected = rows(bench, "connected_time")
        refused = [reason for reason in bench.kept() if "ends before it starts" not in reason]
    energy: dict[str, list[float]] = defaultdict(list)
    for device, value, _ in found:
        energy[device].append(value)
    expected = {f"{name}-1": [s.used / 1000 for s in plan] for name, plan in plans.items()}
    assert {d: sorted(v) for d, v in energy.items()} == {d: pytest.approx(sorted(v)) for d, v in expected.items()}
    # A time that cannot be is that of the call; no session lies in 1970, 2000 or 2099.
    times = [read_stamp(t) for _, _, t in found]
    assert all(began - 10_000_000 < t < time.time() * 1000 + 1000 for t in times)
    wrong = ("1970", "2000", "2099")
    right = [s for plan in plans.values() for s in plan if s.start[:4] not in wrong and s.stop[:4] not in wrong]
    assert sum(v for _, v, _ in connected) >= 2000 * len(right) - 1
    assert not [reason for reason in refused if "session" in reason], refused
    print(f"{STATIONS} stations, {len(found)} sessions, {sum(v for _, v, _ in found):.3f} kWh, as their registers say")
