"""Shares between meters are of the hours in which all of them are whole, by plain arithmetic on the readings."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from telemetry.windows import DAY, HOUR, MINUTE
from tests.kpi_derivation.golden.world import Reading, World, at, every

HALF = 30 * MINUTE
SOURCES = ("wind", "solar", "hydro", "biomass")


def meter(name: str, quantity: str, interval_s: float, **more: Any) -> dict[str, Any]:
    return {"id": name, "kind": "electricity_meter", "quantities": [quantity], "interval_s": interval_s, **more}


def kept(values: Mapping[int, float], device: str, quantity: str) -> Iterable[Reading]:
    return [Reading(t, device, quantity, v) for t, v in sorted(values.items())]


def by_half_hours(start: str, days: int, gaps: Mapping[str, float], seed: int) -> dict[str, dict[int, float]]:
    """Half-hourly energies (kWh) of use and of four sources; `gaps`: the share that each lacks."""
    chance, first = random.Random(seed), at(start)
    found: dict[str, dict[int, float]] = {name: {} for name in ("use", *SOURCES)}
    for i in range(days * 48):
        sun = max(0.0, 12.0 - abs(i % 48 - 26))
        levels = {"use": 900.0 + 20.0 * (i % 48), "wind": 40.0 + 160.0 * chance.random(), "solar": 9.0 * sun,
                  "hydro": 12.0, "biomass": 45.0}  # fmt: skip
        for name, kwh in levels.items():
            if chance.random() >= gaps.get(name, 0.0):
                found[name][first + i * HALF] = kwh
    return found


def of_whole_hours(found: Mapping[str, Mapping[int, float]]) -> dict[str, float]:
    """Per meter the energy of the hours of which every meter has both halves."""
    sums = dict.fromkeys(found, 0.0)
    hours = {t - t % HOUR for values in found.values() for t in values}
    for hour in hours:
        if all(t in values for values in found.values() for t in (hour, hour + HALF)):
            for name, values in found.items():
                sums[name] += values[hour] + values[hour + HALF]
    return sums


def grid_like(found: Mapping[str, Mapping[int, float]], rules: dict[str, Any], **city: Any) -> World:
    devices = [meter("use", "energy_delta", 1800)]
    devices += [meter(name, "energy_delta", 1800, role="generation") for name in SOURCES]
    w = World(devices, rules, **city)
    for name, values in found.items():
        w.take(kept(values, name, "energy_delta"))
    return w


@pytest.mark.parametrize("zone", ["UTC", "Europe/London", "Asia/Kolkata"])
def test_gaps_of_one_source_do_not_move_the_share(zone: str) -> None:
    """March has the change to summer time in London; a zone of half hours has its own hours."""
    found = by_half_hours("2023-02-27T18:30", 35, {"wind": 0.04, "solar": 0.01, "use": 0.005}, 7)
    value = grid_like(found, {"generation_in_load": True}, timezone=zone).value("EN:E:E:1C", "2023-03")
    shift = HALF if zone == "Asia/Kolkata" else 0
    start, end = {"Europe/London": (at("2023-03-01"), at("2023-03-31T23:00")),
                  "UTC": (at("2023-03-01"), at("2023-04-01")),
                  "Asia/Kolkata": (at("2023-02-28T18:30"), at("2023-03-31T18:30"))}[zone]  # fmt: skip
    own = {name: {t - shift: v for t, v in of.items() if start <= t < end} for name, of in found.items()}
    sums = of_whole_hours(own)
    expected = 100.0 * sum(sums[name] for name in SOURCES) / sums["use"]
    assert value.value == pytest.approx(expected, rel=1e-12)
    assert value.numerator == pytest.approx(sum(sums[name] for name in SOURCES), rel=1e-12)
    unequal = 100.0 * sum(sum(own[name].values()) for name in SOURCES) / sum(own["use"].values())
    assert abs(unequal - expected) > 0.1  # what sums over unequal hours give
    assert value.status == "final"
    assert "in which all meters are whole" in value.notes


def test_generation_behind_a_load_is_a_part_of_it() -> None:
    """The shape of a national grid file: hourly load that includes what wind and sun made; 23.50 %, not 19.03 %."""
    devices = [meter("load", "energy_delta", 3600), meter("wind", "energy_delta", 3600, role="generation"),
               meter("sun", "energy_delta", 3600, role="generation")]  # fmt: skip
    values: dict[bool, float | None] = {}
    for within in (True, False):
        w = World(devices, {"generation_in_load": within}, timezone="Europe/Athens")
        for name, kwh in (("load", 1000.0), ("wind", 150.0), ("sun", 85.0)):
            w.take(every("2019-05-30", 33 * 24, HOUR, name, "energy_delta", [kwh] * (33 * 24)))
        values[within] = w.value("EN:E:E:1C", "2019-06").value
    assert values[True] == pytest.approx(23.5, rel=1e-12)
    assert values[False] == pytest.approx(100 * 235 / 1235, rel=1e-12)


def test_too_few_whole_hours_are_no_share() -> None:
    found = by_half_hours("2023-03-01", 31, {"wind": 0.3}, 3)
    value = grid_like(found, {"generation_in_load": True}).value("EN:E:E:1C", "2023-03")
    assert (value.value, value.status, value.reason) == (None, "insufficient", "low_coverage")
    wind = set(found["wind"])
    whole = sum(at("2023-03-01") + h * HOUR in wind and at("2023-03-01") + h * HOUR + HALF in wind for h in range(744))
    assert value.coverage == pytest.approx(whole / 744)


def test_of_very_many_meters_few_may_lack_the_hour() -> None:
    """Of 60 homes one is away each hour: hours with 95 % of the meters count, and the notes say it."""
    homes = [meter(f"h{i:02}", "energy_delta", 3600) for i in range(60)]
    w = World([*homes, meter("pv", "energy_delta", 3600, role="generation")])
    for i in range(60):
        hours = [h for h in range(744) if h % 60 != i]
        w.take(Reading(at("2023-03-01") + h * HOUR, f"h{i:02}", "energy_delta", 1.0) for h in hours)
    w.take(every("2023-03-01", 744, HOUR, "pv", "energy_delta", [10.0] * 744))
    value = w.value("EN:E:E:1C", "2023-03")
    assert value.value == pytest.approx(100 * 10 / 69, rel=1e-12)
    assert "95 % of the meters" in value.notes
    assert value.coverage == pytest.approx(59 / 60)


def test_registers_power_and_intervals_meet_in_the_same_hours() -> None:
    devices = [meter("reg", "energy_total", 900), meter("pow", "power", 60),
               meter("pv", "energy_delta", 900, role="generation")]  # fmt: skip
    w = World(devices)
    gone_register, gone_power = range(40, 44), range(100, 103)  # hours of June 1 to 9

    def left(readings: list[Reading], gone: range) -> list[Reading]:
        return [r for r in readings if (r.time - at("2020-06-01")) // HOUR not in gone]

    rising = [50 + 0.5 * i for i in range(9 * 96)]
    w.take(left(every("2020-06-01", 9 * 96, 15 * MINUTE, "reg", "energy_total", rising), gone_register))
    w.take(left(every("2020-06-01", 9 * 1440, MINUTE, "pow", "power", [3000.0] * 9 * 1440), gone_power))
    w.take(every("2020-06-01", 9 * 96, 15 * MINUTE, "pv", "energy_delta", [1.0 + i // 96 for i in range(864)]))
    # 2020-06-02 has hours 24 to 47; no reading of the register falls into 40 to 43, and 39 ends in the gap.
    value = w.value("EN:E:E:1C", "2020-06-02")
    hours = [h for h in range(24, 48) if h not in range(39, 44)]
    own = sum(4 * 2.0 for _ in hours)
    assert value.value == pytest.approx(100 * own / (own + len(hours) * (2.0 + 3.0)), rel=1e-9)
    assert value.coverage == pytest.approx(19 / 24)
    fifth = w.value("EN:E:E:1C", "2020-06-05")  # hours 96 to 119 without 100 to 102
    own = 21 * 4 * 5.0
    assert fifth.value == pytest.approx(100 * own / (own + 21 * 5.0), rel=1e-9)


def test_a_late_reading_makes_its_hour_whole() -> None:
    found = by_half_hours("2023-03-01", 31, {}, 5)
    late = found["wind"].pop(at("2023-03-10T12:00"))
    w = grid_like(found, {"generation_in_load": True})
    before = w.value("EN:E:E:1C", "2023-03")
    w.take([Reading(at("2023-03-10T12:00"), "wind", "energy_delta", late)])
    found["wind"][at("2023-03-10T12:00")] = late
    after = w.value("EN:E:E:1C", "2023-03")
    again = grid_like(found, {"generation_in_load": True}).value("EN:E:E:1C", "2023-03")
    assert (before.coverage, after.coverage) == (743 / 744, 1.0)
    assert after == again
    w.restart()
    assert w.value("EN:E:E:1C", "2023-03") == again


def test_a_source_that_starts_later_is_not_missed_before() -> None:
    devices = [meter("load", "energy_delta", 3600),
               meter("sun", "energy_delta", 3600, role="generation", since="2020-06-16")]  # fmt: skip
    w = World(devices, {"generation_in_load": True})
    w.take(every("2020-06-01", 720, HOUR, "load", "energy_delta", [10.0] * 720))
    w.take(every("2020-06-16", 360, HOUR, "sun", "energy_delta", [5.0] * 360))
    value = w.value("EN:E:E:1C", "2020-06")
    assert value.value == pytest.approx(25.0)
    assert value.coverage == 1.0


def test_registers_read_once_a_day_and_a_month_have_the_share_of_their_time() -> None:
    devices = [meter("use", "energy_total", 86400), meter("pv", "energy_total", 86400, role="generation")]
    w = World(devices)
    w.take(every("2020-05-30", 40, DAY, "use", "energy_total", [100.0 + 24 * i for i in range(40)]))
    w.take(every("2020-05-30", 40, DAY, "pv", "energy_total", [10.0 + 6 * i for i in range(40)]))
    value = w.value("EN:E:E:1C", "2020-06")
    assert value.value == pytest.approx(20.0)
    assert value.coverage == 1.0


def test_self_consumption_is_of_hours_in_which_generation_and_export_are_whole() -> None:
    devices = [meter("pv", "energy_delta", 3600, role="generation"),
               {"id": "grid", "kind": "electricity_meter", "interval_s": 3600,
                "quantities": ["energy_total", "energy_export_total"]}]  # fmt: skip
    w = World(devices)
    made = {at("2020-06-01") + h * HOUR: 2.0 + h % 5 for h in range(721) if h not in range(200, 230)}
    w.take(kept(made, "pv", "energy_delta"))
    w.take(every("2020-06-01", 721, HOUR, "grid", "energy_export_total", [5 + 0.5 * i for i in range(721)]))
    value = w.value("LOCAL:E:SELF_CONSUMPTION", "2020-06")
    total = sum(2.0 + h % 5 for h in range(720) if h not in range(200, 230))
    assert value.value == pytest.approx(100 * (total - 690 * 0.5) / total, rel=1e-9)
    assert value.coverage == pytest.approx(690 / 720)
