"""What one device can take of its gateway: one test a bound of the table in docs/security.md."""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.sqlite.buffer import Buffer
from adapters.sqlite.rejects import Rejects
from gateway import ledger, routes
from gateway.core import Core, Incoming
from gateway.decoding.decoded import MOST_BOOTS, MOST_RECORDS
from gateway.health import health
from gateway.plausible import Registered
from gateway.requests import AT_ONCE, FIRST_PAUSE
from gateway.senders import budget, named
from registry.city import City
from tests.gateway import cores
from tests.gateway.cores import ARRIVAL as NOW

HOSTILE = "cv/1/aba/evil/data"


def numbered(*numbers: tuple[int, int], device: str = "evil", t: int = NOW) -> Incoming:
    records = [
        {"n": "no2", "v": 5, "t": (t - 60_000 * i) / 1000, "boot": b, "seq": s} for i, (b, s) in enumerate(numbers)
    ]
    return Incoming(f"cv/1/aba/{device}/data", json.dumps(records).encode())


@pytest.fixture
def core(tmp_path: Path) -> Core:
    return cores.make(tmp_path)


def test_records_and_boots_that_one_message_numbers(core: Core) -> None:
    for message in (
        numbered(*((boot, 0) for boot in range(MOST_BOOTS + 1))),
        numbered(*((1, seq) for seq in range(MOST_RECORDS + 1))),
    ):
        counts = core.accept([message], NOW)
        assert (counts.stored, counts.rejected) == (0, 1)
    assert core.accept([numbered(*((boot, 0) for boot in range(MOST_BOOTS)))], NOW).rejected == 0


def test_boots_of_a_device_that_are_kept_and_their_totals(core: Core) -> None:
    """Older boots are added up in one row: the totals stay, the rows do not."""
    for number in range(6):
        boots = range(number * 40, number * 40 + 40)
        core.accept([numbered(*((boot, 0) for boot in boots))], NOW + number * 3_600_000)
    rows = core.buffer.db.execute("SELECT count(*) FROM ledger WHERE device='evil'").fetchone()[0]
    assert rows <= ledger.BOOTS + 1
    [totals] = core.buffer.ledger.totals()
    assert (totals.received, totals.sent, totals.missing) == (240, 240, 0)


def test_boots_that_a_device_begins_in_an_hour(core: Core) -> None:
    """Beyond the budget readings are stored and their numbers are not counted."""
    for number in range(20):
        counts = core.accept([numbered(*((number * 60 + i, 0) for i in range(60)))], NOW + number)
        assert counts.rejected == 0
    [totals] = core.buffer.ledger.totals()
    assert totals.received <= ledger.BOOTS + 1
    assert core.buffer.counters()["gw_ledger_passed_over"] >= 1200 - ledger.BOOTS - 1


def test_ranges_kept_of_a_boot(core: Core) -> None:
    for start in range(0, 20_000, 1000):
        core.accept([numbered(*((1, 2 * seq) for seq in range(start, start + 1000)))], NOW)
    [row] = core.buffer.db.execute("SELECT seen, received, missing FROM ledger").fetchall()
    assert row[0].count(",") < ledger.SPANS
    assert (row[1], row[2]) == (20_000, 19_999)


def test_a_message_with_many_boots_costs_no_more_than_one_with_a_few(core: Core) -> None:
    """Statements are counted, not seconds: what was quadratic asked the table once for each pair."""
    statements: list[str] = []
    core.buffer.db.set_trace_callback(statements.append)
    core.accept([numbered(*((boot, 0) for boot in range(MOST_BOOTS)))], NOW)
    core.buffer.db.set_trace_callback(None)
    assert len([s for s in statements if "ledger" in s]) <= 4 * MOST_BOOTS


def test_gaps_requested_from_a_device_at_once(core: Core) -> None:
    core.accept([numbered(*((boot, 2 * seq + 1) for boot in range(20) for seq in range(20)))], NOW)
    core.accept([numbered((1, 1), device="honest")], NOW)
    found = core.ledger.requests(NOW + FIRST_PAUSE + 1)
    assert sum(r.device == "evil" for r in found) <= AT_ONCE
    assert sum(r.device == "honest" for r in found) == 1


def test_holes_of_a_device_that_is_heard_again_are_asked_for_within_seconds(core: Core) -> None:
    """Whatever was tried before: requests of the time in which nobody heard them have made the pauses long."""
    now = NOW
    core.accept([numbered((1, 0), (1, 5), t=now)], now)
    for _ in range(200):
        now += 2000
        core.ledger.requests(now)
    core.accept([numbered((1, 6), t=now)], now)
    assert [r.command["from"] for r in core.ledger.requests(now + FIRST_PAUSE)] == [1]


def test_holes_are_filled_at_the_pace_of_the_device(core: Core) -> None:
    """34 single holes: each answer leads to the next request, without pauses that double in between."""
    now = NOW
    core.accept([numbered(*((1, 2 * seq) for seq in range(35)))], now)
    rounds = 0
    while core.buffer.ledger.totals()[0].missing:
        now += FIRST_PAUSE
        requests = core.ledger.requests(now)
        rounds += 1
        for r in requests:
            core.accept([numbered((1, r.command["from"]), t=now)], now)
        assert rounds < 20
    assert rounds == 7


def test_what_is_missing_is_requested_a_second_time_after_the_gateways_own_connection_was_lost(core: Core) -> None:
    core.accept([numbered((1, 0), (1, 5))], NOW)
    for step in range(30):
        core.ledger.requests(NOW + step * 2000)
    core.ledger.reconnected()
    assert len(core.ledger.requests(NOW + 60_001)) == 1


def test_bytes_of_refused_messages_count_topic_and_reason(tmp_path: Path) -> None:
    rejects = Rejects.open(tmp_path / "rejects.db")
    rejects.limit(1 << 20)
    for _ in range(50):
        rejects.add([(0, "t/" + "x" * 60_000, b"", "no source")] * 20)
    assert rejects.bytes() <= 1 << 20
    rejects.db.execute("VACUUM")
    rejects.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert (tmp_path / "rejects.db").stat().st_size < 2 << 20


def test_refused_messages_of_one_device_do_not_displace_those_of_another(core: Core) -> None:
    core.buffer.rejects.limit(100_000)
    core.accept([Incoming("cv/1/aba/honest/data", b"not json")], NOW)
    for number in range(20):
        core.accept([Incoming(HOSTILE, b"x" * 1000 + b"%d" % i) for i in range(20)], NOW + number)
    kept = core.buffer.rejects.newest()
    assert any(r.topic == "cv/1/aba/honest/data" for r in kept)
    assert core.buffer.rejects.bytes() <= 100_000


def test_a_refused_retained_message_is_kept_once(core: Core) -> None:
    retained = [Incoming(f"cv/1/aba/s{i}/data", b"not json", retain=True) for i in range(50)]
    for start in range(3):
        core.accept(retained, NOW + start)
    assert core.buffer.rejects.count() == 50


def test_readings_one_device_holds_in_the_buffer(tmp_path: Path) -> None:
    """Its share is an eighth: what other devices wait with is not dropped for it."""
    core = cores.make(tmp_path)
    limit = 1_024_000
    core.buffer.limit(limit)
    honest = [cores.pack(1.0, 60 * i, device="honest") for i in range(500)]
    core.accept(honest, NOW)
    for number in range(60):
        core.accept([cores.pack(1.0, 0.001 * (200 * number + i), device="evil") for i in range(200)], NOW)
    core.buffer.prune(0, limit)
    held = dict(core.buffer.db.execute(
        "SELECT s.device, count(*) FROM every_reading r JOIN buffer_series s ON s.id = r.series GROUP BY 1"
    ).fetchall())  # fmt: skip
    assert held["honest"] == 500
    assert held["evil"] <= 2200
    assert core.buffer.counters()["gw_not_served"] > 9000
    assert core.buffer.counters().get("gw_dropped", 0) == 0


def test_cities_that_are_not_served_leave_nothing_behind(tmp_path: Path) -> None:
    core = Core(Buffer(tmp_path / "gateway.db", 60_000), [cores.SENML], served={"aba": frozenset({"s1"})})
    body = b'[{"n":"no2","v":5}]'
    counts = core.accept([Incoming(f"cv/1/invented-{i}/s1/data", body) for i in range(2000)], NOW)
    counts = core.accept([Incoming("cv/1/aba/unregistered/data", body), Incoming("cv/1/aba/s1/data", body)], NOW)
    assert (counts.stored, counts.rejected) == (1, 1)
    assert core.buffer.counters()["gw_not_served"] == 2001
    assert core.buffer.rejects.count() == 0
    assert {s.city for s in core.buffer.table.all} == {"aba"}
    assert len(core.routes._found) == 1
    assert {core.buffer.table[s].city for s in health(core.buffer, "gw", NOW, core.cities).series.tolist()} == {"aba"}


def test_a_gateway_whose_configuration_names_no_city_serves_a_few(tmp_path: Path) -> None:
    core = cores.make(tmp_path)
    body = b'[{"n":"no2","v":5}]'
    core.accept([Incoming(f"cv/1/invented-{i}/s1/data", body) for i in range(100)], NOW)
    core.buffer.close()
    again = cores.make(tmp_path)
    again.accept([Incoming(f"cv/1/other-{i}/s1/data", body) for i in range(100)], NOW)
    assert len({s.city for s in again.buffer.table.all}) == routes.UNCONFIGURED


def test_readings_a_device_brings_in_a_second(core: Core) -> None:
    """A message of 4,000 readings is large: beyond the burst it is refused before it is decoded."""
    message = Incoming(HOSTILE, json.dumps([{"n": "no2", "v": 1, "t": NOW / 1000 - i} for i in range(4000)]).encode())
    found = [core.accept([message], NOW).rejected for _ in range(53)]
    assert found == [0] * 50 + [1] * 3
    assert "readings at once" in core.buffer.rejects.newest()[0].reason
    assert core.accept([cores.pack(1.0, device="honest")], NOW).stored == 1
    assert core.accept([message], NOW + 60_000).rejected == 0


def test_old_readings_count_more(core: Core) -> None:
    """Of each the stored hour is read: a device that sends them from all over a year is refused earlier."""
    old = NOW / 1000 - 9 * 86_400
    message = Incoming(HOSTILE, json.dumps([{"n": "no2", "v": 1, "t": old - 60 * i} for i in range(4000)]).encode())
    found = [core.accept([message], NOW).rejected for _ in range(13)]
    assert found == [0] * 10 + [1] * 3
    assert core.accept([message._replace(bulk=True)], NOW).rejected == 0  # a file of the operator's
    assert core.accept([cores.pack(1.0, device="honest")], NOW).stored == 1


def test_messages_a_device_brings_in_a_second(core: Core) -> None:
    """A flood of small messages is refused before it is read; another device's message is not."""
    core.accept([Incoming(HOSTILE, b"%d" % i) for i in range(budget.MESSAGES.burst)], NOW)
    good = cores.pack(1.0, device="evil")
    assert core.accept([good], NOW).stored == 0
    assert core.accept([cores.pack(1.0, device="honest")], NOW).stored == 1
    later = [cores.pack(1.0, 60 + i, device="evil") for i in range(2 * budget.MESSAGES.per_second)]
    assert core.accept(later, NOW + 1000).stored == budget.MESSAGES.per_second


def test_rejects_of_a_device(core: Core) -> None:
    """Beyond its budget they are counted; those of another device are kept."""
    flood = [Incoming(HOSTILE, b"not json") for _ in range(budget.REJECTS.burst + 300)]
    core.accept(flood, NOW)
    assert core.buffer.rejects.count() == budget.REJECTS.burst
    assert core.buffer.counters()["gw_not_served"] == 300
    core.accept([Incoming("cv/1/aba/honest/data", b"not json")], NOW)
    core.accept(flood[:100], NOW + 1000)
    assert core.buffer.rejects.count() == budget.REJECTS.burst + 1 + budget.REJECTS.per_second


def test_a_replay_is_bounded_by_no_budget(core: Core) -> None:
    messages = [Incoming(HOSTILE, cores.pack(1.0, i, device="evil").payload, NOW, number=i + 1) for i in range(300)]
    core.accept([Incoming(HOSTILE, b"%d" % i) for i in range(budget.MESSAGES.burst + 1)], NOW)
    assert core.accept(messages, NOW, kept=True).stored == 300


def channels(*names: str) -> Incoming:
    pack = [{"boot": 1, "seq": 0}, *({"n": f"{name}/power", "u": "W", "v": 5, "t": NOW / 1000} for name in names)]
    return Incoming(HOSTILE, json.dumps(pack).encode())


def test_devices_that_a_device_names_beside_itself(tmp_path: Path) -> None:
    """Each would leave series in every store forever. Those it had named before continue, also after a restart."""
    core = cores.make(tmp_path)
    core.accept([channels(*(f"c{i}" for i in range(1000)))], NOW)
    assert len({s.device for s in core.buffer.table.all}) == named.CHANNELS
    core.buffer.close()
    core = cores.make(tmp_path)
    assert core.accept([channels("c0", "another")], NOW).received == 1
    assert len({s.device for s in core.buffer.table.all}) == named.CHANNELS
    assert core.buffer.counters()["gw_not_served"] == 1000 - named.CHANNELS + 1


def test_the_folder_of_formats_is_not_read_for_each_device(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was a tenth of what a message cost as long as its device was new."""
    reads, listed = [], pkgutil.iter_modules

    def read(path: list[str]) -> Iterator[pkgutil.ModuleInfo]:
        reads.append(path)
        return listed(path)

    monkeypatch.setattr(pkgutil, "iter_modules", read)
    core.accept([numbered((1, 0), device=f"s{number}") for number in range(20)], NOW)
    assert len(core.buffer.ledger.totals()) == 20
    assert len(reads) <= 1


def test_devices_of_the_city_file_are_not_counted_among_them(tmp_path: Path) -> None:
    meters = [{"id": f"evil.c{i}", "kind": "electricity_meter", "quantities": ["power"]} for i in range(100)]
    about = {"id": "aba", "name": "Aba", "country": "NO", "timezone": "UTC"}
    city = City.model_validate({"city": about, "device": meters})
    core = cores.make(tmp_path, registered=Registered.of([city]))
    core.accept([channels(*(f"x{i}" for i in range(100)))], NOW)
    core.accept([channels(*(f"c{i}" for i in range(100)))], NOW)
    devices = {s.device for s in core.buffer.table.all}
    assert {f"evil.c{i}" for i in range(100)} <= devices
    assert len(devices) == named.CHANNELS + 100
