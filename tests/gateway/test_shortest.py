"""The shortest way of a message stores what the usual way stores, and takes only what that would store whole."""

from __future__ import annotations

import gc
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.mqtt.publishes import Message
from adapters.sqlite.buffer import Buffer
from gateway.core import Core, Counts, Incoming
from gateway.decoding.packs import PackReader
from gateway.decoding.plain import PlainReader
from gateway.routes import Served
from gateway.senders import budget
from gateway.sources import made_sources
from registry.settings import SourceSettings

NOW = 1_763_640_000_000
FLAT = {"topic": "s/{device}", "format": "flat_json", "city": "town"}
RENAMED = {**FLAT, "rename": {"T": "temperature"}, "ignore": ["id", "x*"], "time_key": "when"}
ZIGBEE = {"family": "zigbee2mqtt", "city": "town"}
OWN = {"topic": "s/{device}", "format": "json", "city": "town", "others": "count", "time": {"path": '"when"'}}
OWN |= {
    "inside": [""],
    "values": {"T": {"quantity": "temperature", "unit": "Cel"}, "inner.power": {"quantity": "power", "unit": "W"}},
}
OWN |= {"names": {"pm*": {"quantity": "pm10", "unit": "ug/m3"}, "no2": {"quantity": "no2", "unit": "ppb"}}}
OWN |= {"inside": [""]}
PATHS = {**OWN, "inside": []}  # nothing is read by name
NESTED = {**OWN, "inside": ["", "values", "more.deep"]}
EITHER = {**OWN, "values": {"T || xyz": {"quantity": "temperature", "unit": "Cel"}}}
TASMOTA = {"family": "tasmota", "city": "town", "zone": "Europe/Berlin"}

SHELLY = {"family": "shelly_gen2", "city": "town"}
AT = [("one", 1), ("two", 2), ("many", 30)]  # devices at an address
SENML = {"topic": "s/{device}", "format": "senml", "city": "town"}
UNNUMBERED = {**SENML, "rename": {"T": "temperature"}, "ignore": ["seq", "xyz"]}

SOURCES = {
    "senml": SENML,
    "unnumbered": UNNUMBERED,
    "flat": FLAT,
    "renamed": RENAMED,
    "zigbee": ZIGBEE,
    "own": OWN,
    "paths": PATHS,
}
SOURCES |= {"nested": NESTED, "either": EITHER, "tasmota": TASMOTA, "shelly": SHELLY}


def core(folder: Path, source: dict[str, Any], served: Served | None = None) -> Core:
    """A core with one source and a new buffer."""
    folder.mkdir()
    return Core(Buffer(folder / "g.db", 60_000), made_sources([SourceSettings.model_validate(source)]), served=served)


def contents(made: Core) -> list[list[Any]]:
    """All that the buffer has of readings, rejects, counts, windows and series."""
    tables = "every_reading", "buffer_series", "rejected", "meta", "dirty", "ledger", "undated"
    db = made.buffer.db
    known = {"every_reading", *(row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))}
    found = [sorted(map(str, db.execute(f"SELECT * FROM {t}").fetchall())) for t in tables if t in known]
    return [*found, [tuple(kept) for kept in made.buffer.deliveries.all()]]


def value(rng: random.Random) -> Any:
    """Mostly a number."""
    odd = [None, True, "7.5", "nan", {"value": 5, "unit": "ppb"}, [1.0], 1e15, 10**400, -99.9, 5000, "", {}]
    return rng.choice(odd) if rng.random() < 0.06 else rng.choice([rng.randrange(60), round(rng.uniform(0, 40), 2)])


def record(rng: random.Random) -> Any:
    """A message as a device of any make sends it."""
    names = ["pm2_5", "pm10", "temperature", "humidity", "power", "energy_total", "no2"]
    if rng.random() < 0.25:
        names += ["T", "id", "xyz", "foo", "values", "inner"]
    made = {name: value(rng) for name in rng.sample(names, rng.randrange(1, 6))}
    if rng.random() < 0.3:
        inner = {name: value(rng) for name in rng.sample(["power", "T", "pm1", "no2"], rng.randrange(3))}
        made[rng.choice(["inner", "values", "more"])] = rng.choice([inner, {"deep": inner}, 7, None])
    if rng.random() < 0.4:
        times = [NOW / 1000 - 7, NOW - 90_000, 5, "2025-11-20T11:00:00Z", "now", None, "soon", NOW / 1000 + 9e6]
        made[rng.choice(["time", "when"])] = rng.choice(times)
    if rng.random() < 0.15:
        made |= {"boot": rng.choice([3, 3, "x"]), "seq": rng.randrange(9)}
    if rng.random() < 0.05:
        made |= {"session_energy": 4.5, "end": NOW / 1000}
    return rng.choice([[], [made, made], "text"]) if rng.random() < 0.05 else made


def payload(rng: random.Random, source: dict[str, Any]) -> bytes:
    """A payload, rarely not valid JSON."""
    if rng.random() < 0.05:
        return rng.choice([b"", b"{", b'{"pm2_5":nan}', b'{"pm2_5":1,"pm2_5":2}', b"\xff", b'{"pm2_5": 1} {"pm10": 2}'])
    if source is ZIGBEE:
        names = ["energy", "power", "voltage", "current", "temperature", "linkquality", "battery", "state"]
        return json.dumps({name: value(rng) for name in rng.sample(names, rng.randrange(1, 6))}).encode()
    if source.get("format") == "senml":
        return json.dumps(pack(rng)).encode()
    made = tasmota(rng) if source is TASMOTA else shelly(rng) if source is SHELLY else record(rng)
    return json.dumps(made).encode()


def pack(rng: random.Random) -> Any:
    """A SenML pack, mostly of values of one numbered record, sometimes with anything that the RFC allows."""
    names = ["pm2_5", "pm10", "temperature", "no2"] * 9 + ["T", "xyz", "flat-3/power", "session_energy"]
    units = {"pm2_5": "ug/m3", "pm10": "ug/m3", "temperature": "Cel", "no2": "ppb", "power": "W"}
    chosen = (
        rng.choices(names, k=rng.randrange(4)) if rng.random() < 0.1 else rng.sample(names[:4], rng.randrange(1, 4))
    )
    made: list[dict[str, Any]] = [{"n": name, "u": units.get(name, "kWh"), "v": value(rng)} for name in chosen]
    odd: list[dict[str, Any]] = [{"t": -5}, {"t": 0}, {"bv": 3.5}, {"bu": "ppb"}, {"bver": 11}, {"pboot": 2, "pseq": 5}]
    odd += [{"bn": "urn:dev:x/"}, {"vs": "x"}, {"bt": NOW // 1000 - 60}, {"boot": 3, "seq": rng.randrange(40)}]
    odd += [{"up": 5, "sent": 9}, {"u": ""}, {"v": -0.0}, {"must_": 1}, {"foo": 1}, {"key": "ab"}]
    for one in made:
        if rng.random() < 0.06:
            one.update(rng.choice(odd))
    if made and rng.random() < 0.95:
        made[0] |= {"bt": rng.choice([NOW // 1000 - rng.randrange(900)] * 9 + [NOW / 1000 - 7.5, 5, 0, -3, 1e300])}
    if made and rng.random() < 0.8:
        made[0] |= {"boot": rng.choice([3, 3, 3, 4, -1]), "seq": rng.randrange(60)}
    if made and rng.random() < 0.1:
        made[0] |= {"bn": rng.choice(["urn:dev:mac:1/", "pm", "x/pm", ""])}
    return rng.choice([[], [made], {}, made + made]) if rng.random() < 0.05 else made


def tasmota(rng: random.Random) -> Any:
    """A plug, sometimes with three phases, a sensor beside it or a clock that is not set."""
    names = ["Total", "Power", "Factor", "Voltage", "Current", "Frequency", "Today"]
    made: dict[str, Any] = {"Time": rng.choice(["2025-11-20T11:00:00", "2025-11-20T11:00:07.5", "1970-01-01T00:00:09"])}
    made["ENERGY"] = {name: value(rng) for name in rng.sample(names, rng.randrange(1, 6))}
    if rng.random() < 0.1:
        made["ENERGY"]["Power"] = [value(rng), value(rng)]
    if rng.random() < 0.2:
        made[rng.choice(["BME280", "ESP32"])] = {"Temperature": value(rng)}
    return made


def shelly(rng: random.Random) -> Any:
    """A channel of a device; mostly the same one at an address."""
    made: dict[str, Any] = {"id": rng.choice([0] * 15 + [1, "0", False, None, "no id", 1.5, "x" * 200])}
    made |= {name: value(rng) for name in rng.sample(["apower", "voltage", "current", "freq", "source", "tC"], 3)}
    if rng.random() < 0.5:
        made["aenergy"] = {"total": value(rng), "minute_ts": 1_763_636_400}
    if rng.random() < 0.1:
        made["params"] = rng.choice([{"ts": NOW / 1000 - 7}, {"ts": 1.6}, {}, 5])
    if rng.random() < 0.05:
        del made["id"]
    return made


def delivered(rng: random.Random, number: int, message: Incoming) -> Incoming:
    """The message as a broker delivers it, or delivers it a second time; the connection is a new one at times."""
    repeated, qos = rng.random() < 0.1, rng.random() < 0.9
    mid = rng.randrange(1, number + 2) if repeated else number + 1
    of = Message(
        message.address, b"", False, repeated, mid, int(qos), 1 + number // 30, "broker", 1, rng.choice([0, 2])
    )
    return message._replace(delivery=of)


def counted(read: Callable[..., Any], taken: list[int]) -> Callable[..., Any]:
    """The same, and how many messages it has read."""

    def counting(self: object, *given: Any, **named: Any) -> Any:
        found = read(self, *given, **named)
        taken[0] += found is not None
        return found

    return counting


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("source", list(SOURCES.values()), ids=list(SOURCES))
def test_both_ways_leave_the_same_buffer(
    source: dict[str, Any], seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    topics = ["s/a", "s/b", "s/no id"]
    if "family" in source:
        form = {"zigbee2mqtt": "zigbee2mqtt/%s", "tasmota": "tele/%s/SENSOR", "shelly_gen2": "%s/status/switch:0"}
        topics = [form[source["family"]] % device for device in "ab"]
    messages = [
        Incoming(rng.choice(topics), payload(rng, source), retain=rng.random() < 0.03, bulk=rng.random() < 0.03)
        for _ in range(300)
    ]
    messages += [delivered(rng, n, rng.choice(messages)) for n in range(100)]
    taken = [0]
    for reader in (PlainReader, PackReader):
        monkeypatch.setattr(reader, "read", counted(reader.read, taken))
    short = core(tmp_path / "short", source)
    answers = [short.accept(messages[n : n + 50], NOW + n) for n in range(0, 400, 50)]
    for reader in (PlainReader, PackReader):
        monkeypatch.setattr(reader, "read", lambda *_, **__: None)
    usual = core(tmp_path / "usual", source)
    assert [usual.accept(messages[n : n + 50], NOW + n) for n in range(0, 400, 50)] == answers
    assert contents(short) == contents(usual)
    assert taken[0] > 3
    assert short.unasked.counts == usual.unasked.counts


def test_a_device_that_is_not_served_is_counted_and_not_stored(tmp_path: Path) -> None:
    made = core(tmp_path / "g", FLAT, {"town": frozenset({"a"})})
    messages = [Incoming(f"s/{who}", b'{"pm10":5}') for who in "aba"]
    assert made.accept(messages, NOW) == Counts(received=3, stored=2, duplicate=0, flagged=0, rejected=1)
    assert made.buffer.counters()["gw_not_served"] == 1


def test_a_sender_beyond_its_budget_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "MESSAGES", budget.Rate(3, 1))
    monkeypatch.setattr(budget, "READINGS", budget.Rate(100, 1))
    made = core(tmp_path / "g", FLAT)
    counts = made.accept([Incoming("s/a", b'{"pm10":%d}' % n) for n in range(5)], NOW)
    assert (counts.stored, counts.rejected) == (3, 2)


def test_names_in_ever_new_orders_do_not_fill_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.decoding.plain.MOST_SHAPES", 5)
    monkeypatch.setattr("gateway.batch._KINDS", 20)
    made = core(tmp_path / "g", {**FLAT, "ignore": ["x*"]})
    for n in range(100):
        assert made.accept([Incoming("s/a", b'{"pm10":%d,"x%d":1}' % (n, n))], NOW + n).stored == 1
    gc.collect()
    readers = [found for found in gc.get_objects() if isinstance(found, PlainReader)]
    assert readers
    assert max(len(reader._shapes) for reader in readers) <= 5


def test_a_usual_pack_of_a_node_takes_the_shortest_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = core(tmp_path / "g", SENML)
    monkeypatch.setattr("gateway.formats.senml.decode", lambda *_: pytest.fail("the long way"))
    pack = b'[{"bt":1763639900,"boot":7,"seq":%d,"n":"pm2_5","u":"ug/m3","v":8},{"n":"pm10","u":"ug/m3","v":14.5}]'
    counts = made.accept([Incoming("s/a", pack % seq) for seq in (0, 1, 3, 3)], NOW)
    assert (counts.stored, counts.duplicate) == (2, 6)
    [totals] = made.ledger.report(0)
    assert (totals.received, totals.duplicate, totals.missing) == (3, 1, 1)


def test_packs_with_ever_new_names_do_not_fill_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.decoding.packs.MOST_SHAPES", 5)
    reader = PackReader(lambda _, name: name, numbered=True)
    for n in range(100):
        assert reader.read(b'[{"bt":1763639900,"n":"x%d","v":1}]' % n, NOW) is not None
    assert reader.read(b'[{"bt":1763639900,"n":"%s","v":1}]' % (b"x" * 700), NOW) is None
    assert len(reader._shapes) <= 5


def test_many_addresses_do_not_keep_others_from_the_shortest_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.shortest._MOST_ADDRESSES", 3)
    taken = [0]
    monkeypatch.setattr(PlainReader, "read", counted(PlainReader.read, taken))
    made = core(tmp_path / "g", SHELLY, {"town": frozenset(f"d{n}-0" for n in range(10))})
    for n in range(10):
        made.accept([Incoming(f"d{n}/status/switch:0", b'{"id":0,"apower":5}')], NOW + n)
    assert taken[0] == 10
    # What was found out of an address was of the device that it named then.
    for n in range(10):
        counts = made.accept([Incoming(f"d{n}/status/switch:0", b'{"id":1,"apower":5}')], NOW + 100 + n)
        assert (counts.stored, counts.rejected) == (0, 1)


def test_an_address_of_many_devices_is_left_to_the_usual_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken, tried, read = [0], [0], PlainReader.read

    def trying(self: PlainReader, *given: Any, **named: Any) -> Any:
        tried[0] += 1
        return read(self, *given, **named)

    monkeypatch.setattr(PlainReader, "read", counted(trying, taken))
    made = core(tmp_path / "g", SHELLY)
    messages = [
        Incoming(f"{where}/status/switch:0", b'{"id":%d,"apower":5}' % (n % of)) for n in range(600) for where, of in AT
    ]
    for n in range(0, len(messages), 50):
        assert made.accept(messages[n : n + 50], NOW + n).stored == 50
    assert taken[0] >= 900  # of one device, and of two
    assert tried[0] < 1500 + 200  # of 30
    assert made._shortest.usual == {"many/status/switch:0"}
