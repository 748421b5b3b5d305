"""A city divided into districts has the values of the undivided one, in the same order, to the last bit."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from adapters.sqlite.store import SqliteStore
from ingest.core import Ingest
from registry.city import City
from scale.districts import District, DistrictJob, Part, district, district_of, part_of, split
from scale.job import CityJob
from scale.merging import MergingJob
from scale.moving import moved
from scale.records import Record, decoded, tick, value_message, value_of
from scale.state import State
from telemetry.errors import Rejected
from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import MINUTE
from telemetry.wire import decode, encode
from tests.ingest.samples import METERED, NOW, T0, city, windows
from tests.kpi_derivation.engine.cities import feed_by_days, feed_in_pieces
from tests.scale.compare import Message, by_key
from tests.scale.job_feed import JobFeed, file_record
from tests.scale.test_job import plausible

CITIES = range(100 if os.environ.get("CITYVITALS_LONG") else 4)


class Divided:
    """A city of districts as an engine runs it: queues between the jobs, each of which may be late or be restarted."""

    def __init__(self, city: str, count: int, dice: random.Random | None = None) -> None:
        self._city, self._count, self._dice = city, count, dice
        self._states: dict[str, State] = {}
        self.districts: dict[str, DistrictJob] = {}
        self._state: State = {}
        self.merging = MergingJob(city, self._state, count)
        self.waiting: list[list[bytes]] = [[] for _ in range(count)]  # of each district, for the job of the city
        self.written: list[Message] = []
        self.rejected: list[str] = []

    def take(self, value: bytes) -> None:
        for home, record in split(value, self._count):
            state = self._states.setdefault(home.key, {})
            job = self.districts.get(home.key)
            if job is None or self._at_random(0.2):
                job = self.districts[home.key] = DistrictJob(home, state)
            output = job.take(record)
            self.rejected += [rejection.reason for rejection in output.rejected]
            assert output.values == []
            self.waiting[home.number] += output.onward
        if not self._at_random(0.7):
            self.merge()

    def _at_random(self, chance: float) -> bool:
        return self._dice is not None and self._dice.random() < chance

    def merge(self) -> None:
        """All that waits, in an order in which only what one district has sent keeps its place."""
        while any(self.waiting):
            queues = [queue for queue in self.waiting if queue]
            queue = self._dice.choice(queues) if self._dice else queues[0]
            if self._at_random(0.1):
                self.merging = MergingJob(self._city, self._state, self._count)
            output = self.merging.take(queue.pop(0))
            self.rejected += [rejection.reason for rejection in output.rejected]
            self.written += map(value_message, output.values)


def undivided(city: str, log: Sequence[bytes]) -> list[Message]:
    job = CityJob(city, {})
    return [value_message(value) for record in log for value in job.take(record).values]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("seed", CITIES)
def test_all_values_of_a_divided_city_are_those_of_the_undivided_one(seed: int, count: int, tmp_path: Path) -> None:
    made = plausible(seed)
    feed = JobFeed(tmp_path, made.city)
    (feed_by_days if seed % 2 else feed_in_pieces)(feed, made.readings, random.Random(seed))
    wanted = undivided(made.city.id, feed.log)
    assert wanted
    for dice in (None, random.Random(seed)):
        divided = Divided(made.city.id, count, dice)
        for record in feed.log:
            divided.take(record)
        divided.merge()
        assert divided.rejected == []
        assert by_key(divided.written) == by_key(wanted)


def test_a_value_waits_for_the_slowest_district() -> None:
    count = 2
    divided = Divided("aba", count)
    homes = {device: district_of(device, count) for device in ("m1", "m2", "m3", "m4")}
    one, other = (next(d for d, home in homes.items() if home == number) for number in range(count))
    log = [file_record(city()), said(one), said(other), tick("aba", NOW).encoded()]
    for record in log:
        for home, part in split(record, count):
            job = divided.districts.setdefault(home.key, DistrictJob(home, {}))
            divided.waiting[home.number] += job.take(part).onward
    merging, [first, second] = divided.merging, divided.waiting
    assert [merging.take(record).values for record in first] == [[]] * len(first)
    *early, last = [merging.take(record).values for record in second]
    assert early == [[]] * len(early)
    assert [value_message(value) for value in last] == undivided("aba", log)


def said(device: str, minute: int = 0, number: int = 0, kwh: float = 1.0) -> bytes:
    return Record("cv/1/aba/gw/windows", NOW, windows(minute, device=device, kwh=kwh, number=number)).encoded()


def both(log: Sequence[bytes], count: int = 3) -> Divided:
    """The divided city, after its values were compared with the undivided one."""
    divided = Divided("aba", count, random.Random(1))
    for record in log:
        divided.take(record)
    divided.merge()
    assert by_key(divided.written) == by_key(undivided("aba", log))
    return divided


def meters(**of_m1: object) -> City:
    kind = {"kind": "electricity_meter", "quantities": ["energy_total"]}
    devices = [{"id": f"m{n}", **kind, **(of_m1 if n == 1 else {})} for n in range(6)]
    plain = {"id": "aba", "name": "Aba", "country": "NG", "timezone": "Africa/Lagos"}
    return City.model_validate({"city": plain, "device": devices, "rules": {"period_capture": 0.0}})


def registers() -> list[bytes]:
    """A register that falls from 95 to 5 after half an hour: 5 kWh, or 10 where it starts again at 100."""
    table = SeriesTable([Series("aba", f"m{n}", "energy_total") for n in range(6)])
    found = []
    for minute in range(0, 120, 10):
        values = [float((75 + minute) % 100 if n == 1 else minute) for n in range(6)]
        readings = Readings.of(list(range(6)), [T0 + minute * MINUTE] * 6, values)
        message = encode("aba", MINUTE, fold(readings, MINUTE, table.modulus(readings.series)), table)
        found.append(Record("cv/1/aba/gw/windows", NOW, message).encoded())
    return found


def test_a_changed_city_file_makes_the_hours_of_the_districts_again() -> None:
    now = tick("aba", NOW).encoded()
    log = [file_record(meters()), *registers(), now, file_record(meters(rollover={"energy_total": 100.0})), now]
    days = [value_of(value).kpi for key, value in both(log).written if METERED in key.decode() and b"/day/" in key]
    assert [v.value for v in days if v.value is not None] == [655.0, 660.0]


def test_windows_before_the_city_file_count_when_it_comes() -> None:
    now = tick("aba", NOW).encoded()
    assert both([said("m1"), said("m2"), now, said("m1", 1), file_record(city()), now]).written


def test_a_city_that_is_moved_again_begins_from_the_start() -> None:
    now = tick("aba", NOW).encoded()
    forget = Record("cv/1/aba/forget", NOW).encoded()
    assert both([file_record(city()), said("m1"), now, said("m1", 1), forget, file_record(city()), said("m2"), now])


def test_a_city_with_stored_hours_windows_and_values_moves_into_districts(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    ingest = Ingest(store)
    served = ingest.add_city(city(), MINUTE)
    ingest.take("aba", decode(windows(1, 2, 3), ingest.table)[2])
    served.derive(NOW)
    log = [record.encoded() for record in moved(store, "aba", {"m1": "gw"}, NOW)]
    now = tick("aba", NOW).encoded()
    divided = both([*log, file_record(city()), now, said("m1", 4), said("m2", 4), now])
    assert divided.written


def test_a_message_that_was_overtaken_changes_no_district() -> None:
    now = tick("aba", NOW).encoded()
    both([file_record(city()), said("m1", number=2, kwh=5.0), said("m1", number=1), now])


def test_a_district_hands_back_what_it_cannot_use() -> None:
    job = DistrictJob(District("aba", 0, 1), {})
    assert "not a windows message" in job.take(b"cv/1/aba/gw/windows 1\n{}").rejected[0].reason
    assert "not a city file" in job.take(b"cv/1/aba/file 1\n{}").rejected[0].reason
    with pytest.raises(Rejected, match="not a windows message"):
        list(split(b"cv/1/aba/gw/windows 1\n{}", 2))


def test_the_job_of_a_divided_city_takes_nothing_but_parts() -> None:
    job = MergingJob("aba", {}, 2)
    assert "a city of 2 districts" in job.take(said("m1")).rejected[0].reason
    assert "not a part" in job.take(b"cv/1/aba/part 1\nx y").rejected[0].reason


def test_keys_and_parts_are_read_as_they_were_written() -> None:
    home = District("aba", 3, 8)
    assert district(home.key) == home
    part = Part(5, 3, 1, 2, b'{"a":\n1}')
    assert part_of(decoded(part.record("aba", NOW).encoded()).payload) == part


def test_the_devices_of_a_city_are_spread_over_its_districts() -> None:
    counts = [sum(district_of(f"m{n}", 4) == k for n in range(10_000)) for k in range(4)]
    assert min(counts) > 2000
