"""The shortest way of a message stores what the usual way stores: random messages like those of all families."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.sqlite.buffer import Buffer
from gateway.core import Core, Incoming
from gateway.decoding.packs import PackReader
from gateway.decoding.plain import PlainReader
from gateway.devices import FOLDER, families
from gateway.routes import Share
from gateway.sources import made_sources
from registry.settings import SourceSettings
from telemetry.stamps import read_stamp
from tests.fuzz.mutate import payloads
from tests.gateway.devices.test_families import ARRIVAL, payload_of
from tests.gateway.test_shortest import contents

NOW = read_stamp(ARRIVAL)
ODD: list[Any] = [
    None,
    True,
    False,
    "",
    "7.5",
    "x" * 130,
    {},
    [],
    [1.0],
    {"value": 5, "unit": "W"},
    1e15,
    0,
    0.0,
    -1,
    1.5,
]
OWN = {"topic": "s/{device}", "format": "json", "city": "town", "others": "count", "inside": [""]}
POWER, VOLTAGE = {"quantity": "power", "unit": "W"}, {"quantity": "voltage", "unit": "V"}
RECORD = {"data": {"power": 5, "ts": NOW // 1000 - 60}, "volt": 230, "on": True, "seq": 4, "at": NOW // 1000 - 90}
RECORD |= {"node": "n1", "port": 2, "a": {"c": 3, "d": {"b": 7}}}

# Sources of which a member has two meanings.
SOURCES: dict[str, dict[str, Any]] = {
    "time in an object of values": {"values": {"data.power": POWER}, "time": {"path": "data.ts"}},
    "time in an object of a condition": {"values": {"(data || on) && volt": VOLTAGE}, "time": {"path": "data.ts"}},
    "time at either": {"names": {"volt": VOLTAGE}, "time": {"path": ["at", "data.ts"]}},
    "a condition that finds no number": {"values": {"on && volt": VOLTAGE}, "names": {"seq": POWER}},
    "a value that is a device": {"device": "{device}-{port}", "values": {"port": POWER, "port && volt": VOLTAGE}},
    "several names": {"device": "x{node}.{port}-y", "names": {"volt": VOLTAGE}, "time": {"path": "at"}},
    "a time that is a device": {"device": "{device}-{at}", "names": {"volt": VOLTAGE}, "time": {"path": ["at", "on"]}},
    "known devices": {"device": "{node}", "devices": {"n*": "known", "": "none"}, "names": {"volt": VOLTAGE}},
    "a path beside a path of any": {"values": {"a.c": VOLTAGE, "a.*.b": POWER}},
    "numbers in a condition": {"values": {"(seq || on) && volt": VOLTAGE}, "numbered": ["port", "seq"]},
    "a session": {"names": {"volt": VOLTAGE, "seq": POWER}, "session": {"energy": "on", "id": "node", "end": "at"}},
    "ignored": {"ignore": ["a*", "no*"], "names": {"volt": VOLTAGE}, "device": "{node}-{port}"},
    "none": {"names": {"volt": {**VOLTAGE, "none": [0]}, "seq": POWER}},
    "kept": {"others": "keep", "names": {"volt": VOLTAGE}, "device": "{device}-{port}"},
    "parts": {"names": {"volt": {**POWER, "part": "sum"}, "seq": {**POWER, "part": "sum"}}, "device": "{node}"},
    "each": {"each": "data", "names": {"power": POWER}, "device": "{node}-{key}"},
    "unless": {"unless": "on", "names": {"volt": VOLTAGE}, "device": "{node}-{port}"},
}


def changed(rng: Random, found: Any) -> Any:
    """A message with members removed, exchanged and renamed; most remain as they are."""
    if type(found) is dict:
        made = {name: changed(rng, item) for name, item in found.items() if rng.random() < 0.95}
        if rng.random() < 0.1:
            made[rng.choice(["id", "voltage", "new", "ts", "x" * 100, *found])] = rng.choice(ODD)
        return made
    if rng.random() < 0.93:
        return found
    return rng.choice([*ODD, *([found + 1] * 5 if type(found) in (int, float) else [])])


def sent(rng: Random, seeds: list[tuple[str, bytes]], count: int) -> list[Incoming]:
    """Messages at the addresses of the seeds."""
    made = []
    for _ in range(count):
        address, payload = rng.choice(seeds)
        try:
            payload = json.dumps(changed(rng, json.loads(payload))).encode()
        except ValueError:
            payload = next(payloads([payload], rng, 1))
        if rng.random() < 0.05:
            payload = next(payloads([payload], rng, 1))
        made.append(Incoming(address, payload, retain=rng.random() < 0.03, bulk=rng.random() < 0.03))
    return made


def left(folder: Path, source: SourceSettings, messages: list[Incoming], share: Share) -> tuple[Any, ...]:
    """What a gateway answers, and what it has then."""
    folder.mkdir()
    served = {"town": frozenset[str]()}
    core = Core(
        Buffer(folder / "g.db", 60_000),
        made_sources([source], zone_of=lambda _: ZoneInfo("Europe/Berlin")),
        served=served,
        share=share,
    )
    answers = [core.accept(messages[n : n + 40], NOW + n) for n in range(0, len(messages), 40)]
    kinds = [tuple(series) for series in core.buffer.table.all]
    return answers, contents(core), kinds, core.unasked.counts, dict(core._named._of), core.not_served


def compare(
    source: SourceSettings, messages: list[Incoming], folder: Path, monkeypatch: pytest.MonkeyPatch, share: Share
) -> None:
    folder.mkdir(exist_ok=True)
    short = left(folder / "short", source, messages, share)
    with monkeypatch.context() as patch:
        for reader in (PlainReader, PackReader):
            patch.setattr(reader, "read", lambda *_, **__: None)
        assert left(folder / "usual", source, messages, share) == short


@pytest.mark.parametrize("name", families())
def test_messages_of_families(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = Random(name)
    cases = tomllib.loads((FOLDER / "cases" / f"{name}.toml").read_text(encoding="utf-8"))["case"]
    of_source: dict[str, list[tuple[str, bytes]]] = {}
    for case in cases:
        of_source.setdefault(json.dumps(case.get("source", {})), []).append((case["topic"], payload_of(case)))
    for place, (source, seeds) in enumerate(of_source.items()):
        settings = SourceSettings.model_validate({"family": name, "city": "town", **json.loads(source)})
        share = Share(1, 2) if place % 3 == 2 else Share()
        compare(settings, sent(rng, seeds, 120), tmp_path / str(place), monkeypatch, share)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", SOURCES)
def test_members_with_two_meanings(name: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = Random(f"{name} {seed}")
    seeds = []
    for _ in range(5):
        kept = {key: item for key, item in RECORD.items() if rng.random() < 0.6} or RECORD
        seeds += [(f"s/{device}", json.dumps(kept).encode()) for device in "ab"]
    source = SourceSettings.model_validate({**OWN, **SOURCES[name]})
    compare(source, sent(rng, seeds, 400), tmp_path / "g", monkeypatch, Share())
