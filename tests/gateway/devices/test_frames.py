"""What one measurement gives is flagged together, as the device's family declares it."""

from __future__ import annotations

import csv
import gzip
from typing import Any

import numpy as np
import pytest

from gateway.batch import OUT_OF_RANGE, Batch
from gateway.decoding.decoded import Decoded, Frames
from gateway.devices import families, template
from gateway.plausible import FRAME, IMPOSSIBLE, Registered
from registry.city import City
from telemetry.partials import fold
from telemetry.quantities import QUANTITIES
from telemetry.series import SeriesTable
from telemetry.windows import HOUR, MINUTE
from tests.kpi_derivation.golden.world import Memory, World, at
from tests.replay import recorded

SIZES = frozenset({"pm1", "pm2_5", "pm4", "pm10"})


def flags(values: dict[str, float], frames: Frames | None = None, kind: str = "air_lowcost") -> dict[str, int]:
    """The flag of each quantity of one message."""
    device = {"id": "d", "kind": kind, "quantities": list(values)}
    base = {"id": "c", "name": "C", "country": "GB", "timezone": "UTC"}
    table = SeriesTable()
    batch = Batch(table, Registered.of([City.model_validate({"city": base, "device": [device]})]))
    rows = Decoded(rows=[(q, None, v, 5000, 0, -1) for q, v in values.items()], frames=frames)
    assert batch.add("c", "d", rows, 9000, 0) == []
    found, _ = batch.readings()
    return {table[s].quantity: f for s, f in zip(found.series.tolist(), found.flag.tolist(), strict=True)}


def test_a_saturated_size_takes_the_others_of_its_measurement_and_nothing_else() -> None:
    said = flags({"pm10": 1999.9, "pm2_5": 95.0, "pm1": 7.0, "pm4": 99.0, "temperature": 20.0})
    assert said == {"pm10": OUT_OF_RANGE, "pm2_5": FRAME, "pm1": FRAME, "pm4": FRAME, "temperature": 0}


def test_the_instruments_of_a_reference_station_are_apart() -> None:
    assert flags({"pm10": 1999.9, "pm2_5": 95.0}, kind="air_reference") == {"pm10": OUT_OF_RANGE, "pm2_5": 0}


def test_a_family_declares_its_own_frames() -> None:
    one_chip = (frozenset({"temperature", "humidity"}), frozenset({"pm2_5", "pm10"}))
    values = {"temperature": 99.0, "humidity": 50.0, "pm2_5": 10.0, "pm10": 20.0}
    assert flags(values, one_chip) == {"temperature": OUT_OF_RANGE, "humidity": FRAME, "pm2_5": 0, "pm10": 0}
    assert flags(values) == {"temperature": OUT_OF_RANGE, "humidity": 0, "pm2_5": 0, "pm10": 0}
    assert flags({"pm10": 1999.9, "pm2_5": 95.0}, ()) == {"pm10": OUT_OF_RANGE, "pm2_5": 0}


def test_a_device_whose_frames_are_declared_later_is_flagged_as_declared() -> None:
    """The first message may come before its family is known, or the family may change."""
    table = SeriesTable()
    batch = Batch(table, Registered.of([]))
    sizes = [("pm10", None, 1999.9, 5000, 0, -1), ("pm2_5", None, 95.0, 5000, 0, -1)]
    weather = [("temperature", None, 99.0, 5000, 0, -1), ("humidity", None, 50.0, 5000, 0, -1)]
    found = []
    for declared in (None, (), (frozenset({"temperature", "humidity"}),), (SIZES,)):
        batch.clear()
        batch.add("c", "d", Decoded(rows=[*sizes, *weather], frames=declared), 9000, 0)
        found.append(batch.readings()[0].flag.tolist())
    out = OUT_OF_RANGE
    assert found == [[out, FRAME, out, 0], [out, 0, out, 0], [out, 0, out, FRAME], [out, FRAME, out, 0]]


def test_more_pm2_5_than_pm10_is_another_channel_also_in_a_declared_frame() -> None:
    for frames in (None, (SIZES,)):
        assert flags({"pm2_5": 50.0, "pm10": 20.0}, frames) == {"pm2_5": IMPOSSIBLE, "pm10": IMPOSSIBLE}
        assert flags({"pm2_5": 21.0, "pm10": 20.0}, frames) == {"pm2_5": 0, "pm10": 0}


@pytest.mark.parametrize("name", families())
def test_declared_frames_are_of_quantities_that_the_family_gives(name: str) -> None:
    found = template(name)
    rules = [r for m in (found, *found.message) for r in (*m.values.values(), *m.names.values())]
    declared = [q for m in (found, *found.message) for frame in m.frames or () for q in frame]
    assert set(declared) <= {r.quantity for r in rules} & set(QUANTITIES)


def test_a_particle_counter_of_a_family_is_declared() -> None:
    assert [n for n in ("airgradient", "purpleair", "sensor_community") if not template(n).frames] == []


def hourly_mean(rows: list[dict[str, str]], interval_ms: float, capture: float) -> float:
    """The mean of valid hourly means of PM2.5, without saturated measurements; plain arithmetic."""
    kept: dict[str, list[float]] = {}
    for r in rows:
        if r["P1"] and r["P2"] and float(r["P1"]) < 1999 and float(r["P2"]) < 999:
            kept.setdefault(r["timestamp"][:13], []).append(float(r["P2"]))
    means = [sum(v) / len(v) for v in kept.values() if len(v) * interval_ms >= capture * HOUR]
    return sum(means) / len(means)


def engine_mean(rows: list[dict[str, str]], rules: dict[str, Any]) -> tuple[float, int]:
    """The same by our own code: batch, windows, engine; and how many readings are flagged."""
    w = World([{"id": "s", "kind": "air_lowcost", "quantities": ["pm10", "pm2_5"]}], rules)
    batch = Batch(w.table, Registered.of([w.city]))
    kinds = {q: batch.kind("c", "s", q, None) for q in ("pm10", "pm2_5")}
    given = [
        (kinds[q], float(r[c]), at(r["timestamp"])) for r in rows for c, q in (("P1", "pm10"), ("P2", "pm2_5")) if r[c]
    ]
    readings = batch.convert(*(list(c) for c in zip(*given, strict=True)))
    w.memory = Memory()
    w.engine.absorb(fold(readings, MINUTE, w.table.modulus(readings.series)))
    value = w.value("EN:EN:AQ:1C", "2018", "pm2_5").value
    assert value is not None
    return value, int((readings.flag != 0).sum())


def test_sensor_8733_of_2018_without_its_saturated_measurements() -> None:
    """PM2.5 was 5.9079 with the siblings of saturated PM10, and 5.9024 of all rows. The step is 148 s on most days."""
    path = recorded.need("aberdeen/sds011/8733.csv.gz")
    with gzip.open(path, "rt", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    value, flagged = engine_mean(rows, {})
    assert value == pytest.approx(5.6936, abs=5e-5)
    assert value == pytest.approx(hourly_mean(rows, 148_000, 0.75), abs=2e-3)
    assert flagged == 200  # 100 measurements
    assert np.isfinite(value)
