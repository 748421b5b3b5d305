"""Inputs of the field that once went wrong, with their right results: the shared cases of the gateway's core."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.sqlite.buffer import Buffer
from cityvitals.operation.rejects import feed
from gateway.core import Core, Counts, Incoming, Source
from gateway.decoding.decoded import SourceOptions
from gateway.privacy import without_users
from tests.replay.recorded import DATA

NOW = 1_795_168_800_000
FIELD = DATA / "field" / "cases.jsonl"
CARD = "04A1B2C3D4"


def cases(kind: str) -> list[Any]:
    if not FIELD.is_file():
        return [pytest.param(None, marks=pytest.mark.skip(reason="the shared data is not beside this repository"))]
    found = [json.loads(line) for line in FIELD.read_text().splitlines()]
    return [pytest.param(c, id=c["id"]) for c in found if c["kind"].startswith(f"{kind}:")]


def core(folder: Path, case: dict[str, Any], after: bool = False) -> Core:
    """A gateway as the case configures it; `after`: as its configuration is repaired."""
    import tomllib

    section = tomllib.loads(case["config_after" if after else "config"])["gateway"]
    [source] = section["source"]
    options = SourceOptions(
        source.get("rename", {}), frozenset(source.get("ignore", ())), secret=section.get("user_key", "").encode()
    )
    sources = [Source(source["topic"], source["format"], source.get("city"), options)]
    return Core(Buffer(folder / "gateway.db", 60_000), sources)


def payloads(case: dict[str, Any]) -> list[bytes]:
    given = case["payload"]
    return [text.encode() for text in ([given] if isinstance(given, str) else given)]


def send(made: Core, case: dict[str, Any], *arrivals: int) -> list[Counts]:
    """Each message in a batch of its own."""
    return [
        made.accept([Incoming(case["topic"], payload)], arrival)
        for payload, arrival in zip(payloads(case), arrivals, strict=True)
    ]


def stored(made: Core) -> dict[str, list[float]]:
    rows = made.buffer.db.execute("SELECT series, value FROM every_reading ORDER BY t, key").fetchall()
    found: dict[str, list[float]] = {}
    for series, value in rows:
        found.setdefault(made.buffer.table[series].quantity, []).append(value)
    return found


def reasons(made: Core) -> list[str]:
    return [r.reason for r in made.buffer.rejects.newest()]


@pytest.mark.parametrize("case", cases("arrival-key"))
def test_readings_that_arrive_in_one_millisecond_are_all_stored(tmp_path: Path, case: dict[str, Any]) -> None:
    arrivals = (NOW, NOW + 2000, NOW) if "clock" in case["id"] else (NOW, NOW, NOW)
    counts = send(core(tmp_path, case), case, *arrivals)
    assert [c.stored for c in counts] == [1, 1, 1]
    assert sorted(stored(core(tmp_path, case))["power"]) == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("case", cases("rejects-replay"))
@pytest.mark.parametrize("together", [True, False])
def test_what_a_repaired_configuration_can_read_is_stored_whole(
    tmp_path: Path, case: dict[str, Any], together: bool
) -> None:
    live = core(tmp_path, case)
    messages = [Incoming(case["topic"], payload) for payload in payloads(case)]
    for batch in [messages] if together else [[m] for m in messages]:
        live.accept(batch, NOW)
    before = stored(live)
    repaired = core(tmp_path, case, after=True)
    done = feed(repaired, repaired.buffer.rejects.newest()[::-1], NOW + 86_400_000)
    after = stored(repaired)
    expected = {
        "rejreplay-flat": {"temperature": [20.0, 21.0, 22.0, 23.0, 24.0]},
        "rejreplay-half": {"temperature": [20.0, 21.0, 22.0, 23.0, 24.0], "humidity": [40.0, 41.0, 42.0, 43.0, 44.0]},
        "rejreplay-register": {"energy_total": [1000.0, 1100.0, 1200.0, 1300.0, 1400.0]},
    }[case["id"]]
    assert {k: v for k, v in after.items() if k in expected} == expected or after == expected
    rows = sum(map(len, after.values()))
    assert (done.replayed, done.stored, done.kept) == (5, rows - sum(map(len, before.values())), 0)
    assert repaired.buffer.rejects.newest() == []


@pytest.mark.parametrize("case", cases("reserved-names"))
def test_a_devices_own_boot_and_seq_are_not_the_ledgers(tmp_path: Path, case: dict[str, Any]) -> None:
    arrivals = [NOW + 1000 * n for n in range(10)]
    counts = send(core(tmp_path, case), case, *arrivals)
    assert sum(c.stored for c in counts) == 10
    assert stored(core(tmp_path, case))["power"] == [float(n) for n in range(1, 11)]


@pytest.mark.parametrize("case", cases("reserved-names"))
@pytest.mark.parametrize("together", [True, False])
def test_numbers_that_begin_again_are_refused_with_the_reason_and_can_be_replayed(
    tmp_path: Path, case: dict[str, Any], together: bool
) -> None:
    unaware = case | {"config": case["config"].replace('ignore = ["boot", "seq"]', ""), "config_after": case["config"]}
    live = core(tmp_path, unaware)
    if together:
        live.accept([Incoming(case["topic"], p) for p in payloads(case)], NOW)
    else:
        send(live, case, *(NOW + 1000 * n for n in range(10)))
    assert len(reasons(live)) == 5
    assert all("do not identify a record" in reason for reason in reasons(live))
    repaired = core(tmp_path, unaware, after=True)
    assert feed(repaired, repaired.buffer.rejects.newest()[::-1], NOW + 86_400_000)[:3] == (5, 5, 0)
    assert sorted(stored(repaired)["power"]) == [float(n) for n in range(1, 11)]


def test_a_record_that_comes_again_is_counted_as_a_duplicate(tmp_path: Path) -> None:
    made = Core(Buffer(tmp_path / "gateway.db", 60_000), [Source("w/{device}", "flat_json", "town")])
    body = Incoming("w/d1", b'{"boot":1,"seq":0,"power":5}')
    assert made.accept([body], NOW).stored == 1
    again = made.accept([body, body], NOW + 9000)
    assert (again.stored, again.duplicate, again.rejected) == (0, 2, 0)


SENML = {
    "senml-bn-only": ({"temperature": [20.0, 20.3, 20.7]}, None),
    "senml-bn-first-alone": ({"power": [100.0, 101.0]}, None),
    "senml-bn-numbered": ({"power": [100.0, 101.0]}, None),
    "senml-must-label-2": ({}, "'cal_' must be understood"),
    "senml-bn-sum": ({}, "sum"),
    "senml-bver": ({}, "version 11"),
    "senml-ms-time": ({}, "1795168800000 s"),
}


@pytest.mark.parametrize("case", cases("senml"))
def test_senml_is_read_as_the_rfc_says(tmp_path: Path, case: dict[str, Any]) -> None:
    made = core(tmp_path, case)
    send(made, case, NOW + 3_600_000)
    expected, reason = SENML[case["id"]]
    assert stored(made) == expected
    assert [(reason or "") in r for r in reasons(made)] == ([True] if reason else [])


@pytest.mark.parametrize("case", cases("users"))
@pytest.mark.parametrize("keyed", [True, False])
def test_no_card_is_readable_in_what_is_kept(tmp_path: Path, case: dict[str, Any], keyed: bool) -> None:
    made = core(tmp_path, case if keyed else case | {"config": case["config"].replace("user_key", "id")})
    send(made, case, NOW)
    kept = made.buffer.rejects.newest()
    assert len(kept) == 1
    if keyed:
        assert made.original(kept[0]).payload == payloads(case)[0]
    made.buffer.close()
    for path in tmp_path.iterdir():
        assert CARD.encode() not in path.read_bytes(), path


def spellings(rng: Random) -> Iterator[tuple[str, bytes]]:
    """Cards and refused payloads that name them, in forms as devices and back-ends write them."""
    while True:
        card = "".join(rng.choice("0123456789ABCDEFGHKXYZ") for _ in range(rng.randrange(8, 24)))
        label = rng.choice(["idTag", "rfid_tag", "cardId", "eMAID", "customer", "x", "wer", "Karte", "session", "key"])
        label = "".join(c.upper() if rng.random() < 0.3 else c for c in label)
        body: Any = {label: card, "kwh": rng.random()}
        for _ in range(rng.randrange(4)):
            body = rng.choice([{"data": body}, [body], {"payload": json.dumps(body)}, {"v": 1, "meta": body}])
        text = json.dumps(body, ensure_ascii=rng.random() < 0.5)
        form = rng.randrange(5)
        if form == 1:
            text = text.replace('"', "'")
        elif form == 2:
            text = f"<{label} id='{card}'><v>{card}</v></{label}>"
        elif form == 3:
            text = f"{label};kwh\n{card};3.5"
        elif form == 4:
            text = text[:-1]  # ends too early to be JSON
        yield card, text.encode()


def test_ten_thousand_forms_of_naming_a_user_are_not_readable() -> None:
    found = spellings(Random(7))
    for _ in range(10_000):
        card, payload = next(found)
        assert card.encode() not in without_users(payload, b""), payload


deliveries = st.lists(
    st.tuples(st.integers(0, 3), st.booleans(), st.booleans(), st.integers(-1, 2)), min_size=1, max_size=30
)


@settings(max_examples=80, deadline=None)
@given(deliveries)
def test_every_undated_reading_is_stored_whatever_the_batches_restarts_and_clocks(
    found: list[tuple[int, bool, bool, int]],
) -> None:
    """(device, ends the batch, restarts, how the clock moves in ms) of each message; every value is another."""
    with tempfile.TemporaryDirectory() as folder:
        config = {"config": '[gateway]\n[[gateway.source]]\ntopic = "w/{device}"\nformat = "flat_json"\ncity = "t"\n'}
        made, now, batch = core(Path(folder), config), NOW, []
        for value, (device, ends, restarts, step) in enumerate([*found, (0, True, False, 0)]):
            batch.append(Incoming(f"w/d{device}", b'{"power": %d}' % value))
            if ends:
                made.accept(batch, now)
                batch, now = [], now + step
            if ends and restarts:
                made.buffer.close()
                made = core(Path(folder), config)
        assert sorted(stored(made)["power"]) == [float(n) for n in range(len(found) + 1)]
        made.buffer.close()
