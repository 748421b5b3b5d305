"""Windows of a first import go to ingest from memory: the store and the buffer hold what the usual way leaves there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from adapters.files.table import Chunk
from adapters.sqlite.store import SqliteStore
from cityvitals.replay.direct import Direct
from cityvitals.replay.replay import Replay, finish
from gateway.recorded import read
from registry.city import City
from telemetry.periods import iso
from telemetry.windows import HOUR, MINUTE

START, NOW = 1_735_689_600_000, 1_800_000_000_000  # 2025-01-01
DEVICES = [
    {"id": "m-1", "kind": "electricity_meter", "quantities": ["energy_total", "power"]},
    {"id": "m-2", "kind": "electricity_meter", "quantities": ["energy_delta"]},
    {"id": "air", "kind": "air_reference", "quantities": ["no2"]},
]
HEAD = {"id": "town", "name": "Town", "country": "DE", "timezone": "Europe/Berlin", "population": 9}
CITY = City.model_validate({"city": HEAD, "device": DEVICES})


def written(path: Path, random: Random) -> list[Chunk]:
    """A file of some days, not always in order, with repeated and implausible rows; as parts of any size."""
    rows, register = [], 5.0
    for n in range(500):
        t = START + n * random.choice([20_000, 5 * MINUTE, HOUR // 2])
        register += random.random()
        rows += [
            (t, "m-1", "energy_total", f"{register:.3f}", "kWh"),
            (t, "m-1", "power", random.choice(["-0.0", "120", "99999999999"]), "W"),
            (t + random.randrange(9000), "m-2", "energy_delta", "0.25", "kWh"),
            (t, "air", "no2", random.choice(["20", "21.5", "-5", "-0.0"]), "ug/m3"),
        ]
    for _ in range(random.choice([0, 60])):
        t, device, quantity, value, unit = random.choice(rows)
        rows.insert(random.randrange(len(rows)), (t, device, quantity, random.choice([value, "7"]), unit))
    if random.random() < 0.5:
        rows.sort(key=lambda row: row[1])
    lines = [",".join((iso(t), *rest)) for t, *rest in rows]
    path.write_text("time,device,quantity,value,unit\n" + "\n".join(lines) + "\n")
    return [part for chunk in read(path) for part in parts(chunk, random)]


def parts(chunk: Chunk, random: Random) -> Iterator[Chunk]:
    begin = 0
    while begin < len(chunk):
        end = min(len(chunk), begin + random.choice([1, 40, 1000, 3000]))
        yield chunk.part(begin, end)
        begin = end


def contents(folder: Path, chunks: list[Chunk], killed_after: int = 0) -> dict[str, list[str]]:
    """All of the store and the buffer after a replay; `killed_after`: so many parts an earlier run took."""
    for count in [killed_after, len(chunks)] if killed_after else [len(chunks)]:
        opened = SqliteStore(folder / "s.db")
        made = Replay(CITY, opened, folder / "b.db", MINUTE)
        for chunk in chunks[:count]:
            made.take(chunk, NOW)
        if count == len(chunks):
            finish(made, lambda *_: None)
        store, buffer = opened._db, made.buffer.db
        found = {level: of_series(store, level) for level in ("window", "hour")}
        found["kpi"] = rows(store, "SELECT city, code, part, kind, time, value, coverage, status, n_devices FROM kpi")
        found["reading"] = rows(buffer, "SELECT * FROM every_reading")
        found["left"] = rows(buffer, "SELECT * FROM dirty")
        found["left"] += rows(buffer, "SELECT * FROM meta WHERE key LIKE 'gw_un%' AND value")
        store.close()
        buffer.close()
    return found


def of_series(db: Any, level: str) -> list[str]:
    """The rows of a level with the names of their series: its number depends on which came first."""
    names = dict(db.execute("SELECT id, device || ' ' || quantity FROM series").fetchall())
    found = db.execute(f'SELECT series, * FROM "{level}"').fetchall()
    named = ((names[series], bucket, *rest) for series, bucket, _, *rest in found)
    return sorted(map(repr, named))


def rows(db: Any, sql: str) -> list[str]:
    return sorted(map(repr, db.execute(sql).fetchall()))


@pytest.mark.parametrize("seed", range(6))
def test_both_ways_leave_the_same(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(seed)
    chunks = written(tmp_path / "rows.csv", random)
    for name in ("direct", "killed", "usual"):
        (tmp_path / name).mkdir()
    direct = contents(tmp_path / "direct", chunks)
    killed = contents(tmp_path / "killed", chunks, random.randrange(1, len(chunks)) if len(chunks) > 1 else 0)
    monkeypatch.setattr(Direct, "rows", lambda *_: None)
    usual = contents(tmp_path / "usual", chunks)
    assert direct == usual
    assert killed == usual
    assert usual["left"] == []
    assert len(usual["kpi"]) > 20


def test_a_chunk_of_new_times_is_taken_whole(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    lines = [f"{iso(START + n * HOUR)},m-2,energy_delta,0.25,kWh" for n in range(50)]
    path.write_text("time,device,quantity,value,unit\n" + "\n".join(lines) + "\n")
    made = Replay(CITY, SqliteStore(tmp_path / "s.db"), tmp_path / "b.db", MINUTE)
    for chunk in read(path):
        made.take(chunk, NOW)
    assert made.buffer.backlog() == (0, None)
    assert made.summary.windows == 50
    assert made.buffer.counters()["gw_unsent:town"] == 1, "until its values are derived"
    finish(made, lambda *_: None)
    assert made.buffer.counters()["gw_unsent:town"] == 0
