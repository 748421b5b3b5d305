"""What the proof lets Flink work on: random cities, the recorded cities, and a steady load; with what must come out."""

from __future__ import annotations

import csv
import gzip
import itertools
import random
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from registry.city import City
from registry.config import load_city
from scale.job import CityJob
from scale.records import city_file, value_message, value_of
from telemetry.kpi_value import KpiValue
from telemetry.periods import CALENDAR
from tests.kpi_derivation.engine.cities import Feed, feed_by_days, feed_in_pieces, synthetic
from tests.kpi_derivation.engine.model import Reading
from tests.replay.recorded import DATA
from tests.scale import load
from tests.scale.compare import Message
from tests.scale.job_feed import JobFeed

Values = dict[tuple[str, str, str], KpiValue]
Way = Callable[[Feed, list[Reading], random.Random], None]
# name, city file, recorded file, first day, days
RECORDED = (
    ("stations", "aberdeen", "aberdeen_stations_2018", "2018-03-20", 14),
    ("low-cost", "aberdeen", "aberdeen_sds011_2018-07-15_2018-09-15", "2018-08-01", 3),
    ("meters", "lcl", "lcl_2013_even", "2013-03-29", 5),
    ("charging", "trondheim", "ev_trondheim_sessions", "2019-03-01", 60),
    ("charging-us", "acn", "ev_acn_sessions", "2021-05-01", 60),
)


class Case(NamedTuple):
    """One city: its records, all values that the job writes for them, and the last ones of the embedded engine."""

    kind: str  # random, recorded, steady
    name: str
    records: list[bytes]
    written: list[Message]
    embedded: Values


def plain(values: Values) -> Values:
    """Without the revision, which counts the moments at which values were derived."""
    return {key: msgspec.structs.replace(value, revision=1) for key, value in values.items()}


def newest(messages: list[Message]) -> Values:
    """The newest value of each identity, of calendar periods, from the messages of a topic."""
    found = (value_of(value).kpi for value in dict(messages).values())
    return {(v.code, v.part, v.period): v for v in found if v.kind in CALENDAR}


def of_readings(kind: str, folder: Path, city: City, readings: list[Reading], way: Way, seed: int) -> Case:
    """A city fed in a disorderly way; the embedded engine has the same readings at once."""
    embedded = Feed(folder, city)
    embedded.give(readings)
    embedded.derive()
    feed = JobFeed(folder / "job", city)
    way(feed, readings, random.Random(seed))
    return Case(kind, city.id, feed.log, written(city.id, feed.log), plain(embedded.values()))


def written(city: str, records: list[bytes]) -> list[Message]:
    """What one job that is never restarted writes for these records."""
    job = CityJob(city, {})
    return [value_message(value) for record in records for value in job.take(record).values]


def random_city(folder: Path, seed: int) -> Case:
    """One of tests/kpi_derivation/engine, without negative values, which a message with them is refused for."""
    made = synthetic(seed)
    readings = [r._replace(value=abs(r.value)) for r in made.readings]
    way = feed_by_days if seed % 2 else feed_in_pieces
    return of_readings("random", folder, renamed(made.city, f"random-{seed}"), readings, way, seed)


def recorded_city(folder: Path, name: str, city: str, file: str, first: str, days: int) -> Case:
    """Some days of a recorded data set, day after day in random order. The folder `shared` must be there."""
    begin = round(datetime.fromisoformat(f"{first}T00:00:00+00:00").timestamp() * 1000)
    readings = [r for r in readings_of(DATA / "long" / f"{file}.csv.gz") if 0 <= r.t - begin < days * 86_400_000]
    return of_readings("recorded", folder, renamed(load_city(DATA / f"{city}.toml"), name), readings, feed_by_days, 1)


def renamed(city: City, name: str) -> City:
    """The same city under another id."""
    whole = city.model_dump(mode="json", exclude_defaults=True)
    return City.model_validate({**whole, "city": {**whole["city"], "id": name}})


def readings_of(path: Path) -> Iterator[Reading]:
    """Rows of a recorded file as readings; a charging session is one at its end. Negative values are not accepted."""
    with gzip.open(path, "rt", newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            time = row.get("time") or row["end"] or row["start"]
            at = round(datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp() * 1000)
            value = float(row["value"] if "value" in row else row["energy_kwh"])
            key = 0 if "value" in row else 1 + number
            yield Reading(row["device"], row.get("quantity") or "session_energy", at, value, key, value >= 0)


def steady_city(number: int, series: int, minutes: int) -> Case:
    """Windows and a tick each minute: what runs on while workers are killed."""
    name, dice = f"steady-{number}", np.random.default_rng(number)
    config = msgspec.json.encode(load.city(name, series).model_dump(mode="json", exclude_defaults=True))
    records = [city_file(name, config, load.BEGIN).encoded()]
    for minute in range(minutes):
        records += load.records(name, series, minute, dice)
    return Case("steady", name, records, written(name, records), {})


def interleaved(cases: list[Case], dice: random.Random) -> list[tuple[str, bytes]]:
    """All records in one order, spread evenly at random; those of a city keep theirs."""
    placed = [
        (at, case.name, record)
        for case in cases
        for at, record in zip(sorted(dice.random() for _ in case.records), case.records, strict=True)
    ]
    placed.sort(key=lambda entry: entry[0])
    return [(name, record) for _, name, record in placed]


def wanted(cases: list[Case]) -> list[Message]:
    """All messages that the topic must have."""
    return list(itertools.chain.from_iterable(case.written for case in cases))
