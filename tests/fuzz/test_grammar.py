"""Messages made by the grammar of each format (hypothesis), beside the bytes that mutate.py spoils.

The mutator finds what breaks a decoder; these find what it takes wrongly: the expected readings are made beside the
message.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.decoding.decoded import AHEAD, EARLIEST, Decoded, SourceOptions
from gateway.formats import flat_json, senml
from telemetry.quantities import QUANTITIES

ARRIVAL = 1_709_294_400_000
OPTIONS = SourceOptions()
NAMES = ["no2", "pm2_5", "temperature", "energy_total", "sometimes_new"]
UNITS = ["ug/m3", "Cel", "kWh", None]

_seconds = st.integers(ARRIVAL // 1000 - 10**8, ARRIVAL // 1000 + 10**6)
_number = st.integers(-(10**6), 10**6).map(lambda n: n / 8)  # eighths add up exactly
_wild: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.text(max_size=3) | st.integers(-(10**30), 10**30) | st.just([])
)


def possible(t: int) -> bool:
    return EARLIEST <= t <= ARRIVAL + AHEAD


def taken(rows: Decoded) -> list[tuple[str, str | None, float, int]]:
    return [row[:4] for row in rows.rows]


@st.composite
def packs(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[tuple[str, str | None, float, int]]]:
    """A SenML pack and the readings that RFC 8428 gives it: base fields hold from their record on."""
    pack, expected = [], []
    unit, value, time = None, 0.0, None
    for _ in range(draw(st.integers(1, 6))):
        record: dict[str, Any] = {}
        if time is None or draw(st.booleans()):
            record["bt"] = time = draw(_seconds)
        if draw(st.integers(0, 3)) == 0:
            record["bn"] = draw(st.sampled_from(["urn:dev:mac:00:", "station/", "a:b/"]))
        if draw(st.integers(0, 3)) == 0:
            record["bu"] = unit = draw(st.sampled_from([u for u in UNITS if u]))
        if draw(st.integers(0, 3)) == 0:
            record["bv"] = draw(_number.filter(bool))
            value = record["bv"]
        record["n"] = draw(st.sampled_from(NAMES))
        record["v"] = draw(_number)
        ago = draw(st.sampled_from([0, 0, -30, -90_000, 20]))
        if ago:
            record["t"] = ago
        if own := draw(st.sampled_from(UNITS)):
            record["u"] = own
        t = (time + ago) * 1000
        if possible(t):
            expected.append((record["n"], own or unit, record["v"] + value, t))
        pack.append(record)
    return pack, expected


@settings(max_examples=300)
@given(packs())
def test_a_senml_pack_gives_the_readings_of_the_rfc(made: tuple[list[dict[str, Any]], list[Any]]) -> None:
    pack, expected = made
    rows = senml.decode(json.dumps(pack).encode(), ARRIVAL, OPTIONS)
    assert taken(rows) == expected
    assert len(rows.problems) == len(pack) - len(expected)


@settings(max_examples=300)
@given(packs(), st.integers(0, 5), st.sampled_from(["v", "t", "u", "n", "bt", "seq"]), _wild)
def test_a_record_with_a_wild_field_costs_no_other_record(
    made: tuple[list[dict[str, Any]], list[Any]], place: int, field: str, wild: Any
) -> None:
    pack = [{**record, "bt": record.get("bt", ARRIVAL // 1000)} for record in made[0]]
    alone = [r for i, r in enumerate(pack) if i != place]
    pack = [{**record, field: wild} if i == place else record for i, record in enumerate(pack)]
    if any("bn" in r or "bu" in r or "bv" in r for r in pack):
        return  # what a base field means for the records after it is another matter
    others = taken(senml.decode(json.dumps(alone).encode(), ARRIVAL, OPTIONS)) if alone else []
    found = taken(senml.decode(json.dumps(pack).encode(), ARRIVAL, OPTIONS))
    left = list(found)
    for row in others:
        left.remove(row)
    assert len(left) <= 1


@settings(max_examples=300)
@given(
    st.dictionaries(st.sampled_from(NAMES), st.tuples(_number, st.sampled_from(UNITS)), max_size=4),
    st.dictionaries(st.sampled_from(["rssi", "label", "humidity"]), _wild, max_size=2),
    st.none() | _seconds,
    st.none() | st.integers(0, 2**53 - 1),
)
def test_a_flat_object_gives_its_numbers_and_names_the_rest(
    values: dict[str, tuple[float, str | None]], wild: dict[str, Any], time: int | None, seq: int | None
) -> None:
    message: dict[str, Any] = {n: {"value": v, "unit": u} if u else v for n, (v, u) in values.items()}
    message |= wild | ({} if time is None else {"time": time}) | ({} if seq is None else {"boot": 1, "seq": seq})
    rows = flat_json.decode(json.dumps(message).encode(), ARRIVAL, OPTIONS)
    t = ARRIVAL if time is None else time * 1000
    assert rows.records == ([] if seq is None else [(1, seq)])
    if not possible(t):
        assert not rows.rows
        assert rows.problems
        return
    known = {n: given for n, given in values.items() if n in QUANTITIES and n not in wild}
    assert [row for row in taken(rows) if row[0] in known] == [(n, u, v, t) for n, (v, u) in known.items()]
    assert {row[0] for row in rows.rows} - known.keys() <= wild.keys() & QUANTITIES.keys()
    assert len(rows.rows) + len(rows.problems) + len(rows.unasked) <= len(message)
    assert len(rows.problems) >= len([n for n in values if n not in QUANTITIES and n not in wild])
