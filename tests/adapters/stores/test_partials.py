"""Partials: what every store does with them."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import adapters.influx.store
import adapters.postgres.connection
import adapters.sqlite.store
from adapters.store import Level, Store
from adapters.stores import open_store
from telemetry.errors import CityVitalsError
from telemetry.partials import Partials
from telemetry.series import IntArray, Series, SeriesTable
from telemetry.windows import DAY, HOUR, MINUTE
from tests.adapters.stores.samples import EXAMPLES, T0, any_partials, bits, of_readings, partials, read, rows

NAN = math.nan
TWO = [Series("aba", "a", "no2"), Series("aba", "a", "energy_total")]
LEVELS: tuple[Level, ...] = ("window", "hour")


def put(store: Store, *given_rows: tuple[Any, ...], **columns: Any) -> SeriesTable:
    table = SeriesTable()
    store.put_partials("window", partials(table, *given_rows, **columns), table)
    return table


def test_what_is_written_is_read(store: Store) -> None:
    table = SeriesTable()
    written = partials(table, ("a", 0, 1.5), ("a", 1, -2.25), ("b", 0, 3.0))
    store.put_partials("window", written, table)
    assert bits(read(store, table)) == bits(written)


def test_an_empty_store_holds_nothing(store: Store) -> None:
    assert list(store.partials("aba", "window", 0, T0, SeriesTable())) == []
    assert store.span("aba", "window") is None


def test_writing_no_rows_is_no_error(store: Store) -> None:
    store.put_partials("window", Partials.empty(), SeriesTable())
    assert store.span("aba", "window") is None


def test_a_second_write_replaces(store: Store) -> None:
    put(store, ("a", 0, 1.0))
    table = put(store, ("a", 0, 2.0))
    assert rows(read(store, table), table) == [("a", 0, 2.0)]


def test_a_duplicate_write_changes_nothing(store: Store) -> None:
    table = put(store, ("a", 0, 1.0), ("b", 3, 2.0))
    before = bits(read(store, table))
    put(store, ("a", 0, 1.0), ("b", 3, 2.0))
    assert bits(read(store, table)) == before


def test_of_rows_with_one_identity_the_last_counts(store: Store) -> None:
    table = put(store, ("a", 0, 1.0), ("a", 0, 2.0), min=[NAN, 2.0])
    assert rows(read(store, table), table) == [("a", 0, 2.0)]


def test_windows_of_one_reading_and_others_come_back_as_they_are(store: Store) -> None:
    """Of one reading most columns are the same value, and a store may write them otherwise."""
    table, rng = SeriesTable(), random.Random(1)
    given_rows = [(f"d{n % 7}", n // 7, rng.choice([0.0, 3.25, -1e300, 1e200])) for n in range(200)]
    odd = [("n", 2), ("flagged", 1), ("min", -5e300), ("max", 7.5), ("first", 4.5), ("last", 4.5), ("last_t", T0 + 9)]
    changes = {n: rng.choice(odd) for n in range(0, 200, 3)}
    whole = partials(table, *given_rows, lag=[rng.randrange(90) for _ in given_rows])
    columns = {field: getattr(whole, field).copy() for field in ("increase", *(field for field, _ in odd))}
    columns["increase"][::2] = 0.0
    for row, (field, value) in changes.items():
        columns[field][row] = value
    written = partials(table, *given_rows, lag=whole.lag, **columns)
    store.put_partials("window", written, table)
    assert bits(read(store, table)) == bits(written.latest())


def test_what_does_not_exist_is_read_as_nan(store: Store) -> None:
    table = put(store, ("a", 0, 0.0), n=[0], min=[NAN], max=[NAN], first=[NAN], last=[NAN], first_t=[0], last_t=[0])
    found = read(store, table)
    assert np.isnan([found.min[0], found.max[0], found.first[0], found.last[0], found.increase[0]]).all()
    assert (found.n[0], found.sum[0], found.first_t[0]) == (0, 0.0, 0)


def test_a_value_that_goes_away_does_not_linger(store: Store) -> None:
    put(store, ("a", 0, 7.0), increase=[7.0])
    table = put(store, ("a", 0, 0.0), n=[0], min=[NAN], max=[NAN], first=[NAN], last=[NAN])
    found = read(store, table)
    assert np.isnan([found.min[0], found.max[0], found.first[0], found.last[0], found.increase[0]]).all()


def test_a_value_that_comes_back_is_read(store: Store) -> None:
    put(store, ("a", 0, 0.0), n=[0], min=[NAN])
    table = put(store, ("a", 0, 7.0))
    assert read(store, table).min.tolist() == [7.0]


def test_a_city_goes_on_after_a_number_too_large(store: Store) -> None:
    table = put(store, ("a", 0, 1.0), ("b", 0, 2.0), sum=[math.inf, 2.0], sumsq=[math.inf, -math.inf])
    assert read(store, table).sumsq.tolist() == [math.inf, -math.inf]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_rows=any_partials())
def test_every_number_comes_back_bit_by_bit_over_whatever_was_there(
    store: Store, given_rows: tuple[list[Series], Partials]
) -> None:
    names, written = given_rows
    table = SeriesTable(names)
    expected = Partials.concat([read(store, table), written]).latest()
    store.put_partials("window", written, table)
    assert bits(read(store, table)) == bits(expected)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    written=of_readings([Series("aba", "a", "no2"), Series("aba", "a", "energy_total")]), level=st.sampled_from(LEVELS)
)
def test_rows_of_few_readings_come_back_bit_by_bit_over_whatever_was_there(
    store: Store, written: Partials, level: Level
) -> None:
    """What of a row follows from its other columns, a store may leave out."""
    table = SeriesTable(TWO)
    expected = Partials.concat([read(store, table, level=level), written]).latest()
    store.put_partials(level, written, table)
    assert bits(read(store, table, level=level)) == bits(expected)


def test_a_range_holds_its_start_and_not_its_end(store: Store) -> None:
    table = put(store, *[("a", minute, minute) for minute in range(4)])
    assert rows(read(store, table, T0 + MINUTE, T0 + 3 * MINUTE), table) == [("a", 1, 1.0), ("a", 2, 2.0)]


def test_a_range_that_ends_where_it_starts_is_empty(store: Store) -> None:
    table = put(store, ("a", 0, 1.0))
    assert len(read(store, table, T0, T0)) == 0
    assert len(read(store, table, T0 + MINUTE, T0)) == 0


def test_a_chunk_is_sorted_by_series_and_start(store: Store) -> None:
    put(store, *[(device, minute, 1.0) for minute in (5, 1, 3) for device in ("c", "a", "b")])
    table = SeriesTable([Series("aba", device, "no2") for device in ("b", "c", "a")])
    [chunk] = store.partials("aba", "window", T0, T0 + HOUR, table)
    assert [(device, minute) for device, minute, _ in rows(chunk, table)] == [
        (device, minute) for device in ("b", "c", "a") for minute in (1, 3, 5)
    ]


def test_chunks_follow_each_other_in_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (adapters.influx.store, adapters.postgres.connection, adapters.sqlite.store):
        monkeypatch.setattr(module, "_CHUNK", 7)
    table = put(store, *[(device, 10 * step, step) for device in "abcd" for step in range(40)])
    chunks = list(store.partials("aba", "window", T0, T0 + DAY, table))
    assert len(chunks) > 3
    assert all(a.start.max() < b.start.min() for a, b in pairwise(chunks))
    assert sum(len(chunk) for chunk in chunks) == 160


def test_only_the_series_asked_for_are_read(store: Store) -> None:
    table = put(store, ("a", 0, 1.0), ("b", 0, 2.0), ("c", 0, 3.0))
    wanted = np.array([table.id_of(Series("aba", device, "no2")) for device in ("c", "a")])
    assert rows(read(store, table, series=wanted), table) == [("a", 0, 1.0), ("c", 0, 3.0)]


def test_of_many_series_only_those_asked_for_are_read(store: Store) -> None:
    table = put(store, *[(f"d{i:04}", 0, i) for i in range(2000)])
    wanted = np.arange(100, 1900)
    assert read(store, table, series=wanted).series.tolist() == wanted.tolist()


def test_asking_for_no_series_reads_nothing(store: Store) -> None:
    table = put(store, ("a", 0, 1.0))
    assert len(read(store, table, series=np.array([], dtype=np.int64))) == 0


def test_a_series_the_store_does_not_know_reads_as_nothing(store: Store) -> None:
    table = put(store, ("a", 0, 1.0))
    other = table.id_of(Series("aba", "a", "o3"))
    assert len(read(store, table, series=np.array([other]))) == 0


def test_series_that_are_stored_enter_the_table(store: Store) -> None:
    put(store, ("a", 0, 1.0), ("b", 0, 2.0))
    table = SeriesTable([Series("aba", "b", "no2")])
    read(store, table)
    assert table.all == [Series("aba", "b", "no2"), Series("aba", "a", "no2")]


def test_two_cities_are_kept_apart(store: Store) -> None:
    put(store, ("a", 0, 1.0))
    put(store, ("a", 0, 2.0), city="bab")
    table = SeriesTable()
    assert rows(read(store, table), table) == [("a", 0, 1.0)]
    assert table.all == [Series("aba", "a", "no2")]


def test_windows_and_hours_are_kept_apart(store: Store) -> None:
    table = put(store, ("a", 0, 1.0))
    store.put_partials("hour", partials(table, ("a", 60, 2.0)), table)
    assert rows(read(store, table), table) == [("a", 0, 1.0)]
    assert rows(read(store, table, level="hour"), table) == [("a", 60, 2.0)]


def test_two_quantities_of_a_device_are_kept_apart(store: Store) -> None:
    table = SeriesTable([Series("aba", "a", "o3")])
    store.put_partials("window", partials(table, ("a", 0, 1.0)), table)
    store.put_partials("window", partials(table, ("a", 0, 2.0), series=[0]), table)
    assert read(store, table).sum.tolist() == [2.0, 1.0]


def test_span_is_the_first_and_the_last_start(store: Store) -> None:
    put(store, ("b", 5000, 1.0), ("a", 7, 1.0), ("a", 90, 1.0))
    put(store, ("a", 9999, 1.0), city="bab")
    assert store.span("aba", "window") == (T0 + 7 * MINUTE, T0 + 5000 * MINUTE)
    assert store.span("aba", "hour") is None


def test_device_names_may_hold_what_an_id_may(store: Store) -> None:
    names = ["a:b.c-d_e", "0", "A" * 64, "x.-:_"]
    table = put(store, *[(name, 0, 1.0) for name in names])
    found = SeriesTable()
    read(store, found)
    assert sorted(s.device for s in found.all) == sorted(names) == sorted(s.device for s in table.all)


def test_another_opening_reads_what_the_first_wrote(store: Store, url: str) -> None:
    put(store, ("a", 0, 1.0))
    table, other = SeriesTable(), open_store(url)
    assert rows(read(other, table), table) == [("a", 0, 1.0)]
    other.close()


def test_a_write_that_fails_leaves_no_trace_in_the_next(store: Store) -> None:
    table = SeriesTable()
    good = partials(table, ("a", 0, 1.0))
    with pytest.raises((IndexError, CityVitalsError)):
        store.put_partials("window", Partials.concat([good, partials(table, ("a", 1, 2.0), series=[99])]), table)
    put(store, ("z", 0, 9.0))
    store.put_partials("window", good, table)
    found = SeriesTable()
    assert sorted(rows(read(store, found), found)) == [("a", 0, 1.0), ("z", 0, 9.0)]


def test_60_000_partials_are_all_read_again(store: Store) -> None:
    table, minutes = SeriesTable(), 600
    for device in range(100):
        table.id_of(Series("aba", f"d{device}", "no2"))
    start = np.tile(T0 + np.arange(minutes) * MINUTE, 100)
    value = np.random.default_rng(7).random(len(start))
    zeros = np.zeros(len(start), dtype=np.int64)
    written = Partials(
        np.repeat(np.arange(100), minutes), start, zeros + 1, value, value, value, value * value, start, value, start,
        value, value * np.nan, zeros, zeros,
    )  # fmt: skip
    store.put_partials("window", written, table)
    found = read(store, table)
    assert len(found) == 60_000
    assert bits(found) == bits(written)


def test_series_that_another_process_adds_later_are_read(url: str) -> None:
    """A reader keeps what it read of the series; another writes new ones, of two cities in turn."""
    writer, reader = open_store(url), open_store(url)
    written, known = SeriesTable(), SeriesTable()
    for number in range(3):
        for city in ("aba", "oslo"):
            writer.put_partials("window", partials(written, (f"d{number}", number, 10 + number), city=city), written)
        for city in ("aba", "oslo"):
            expected = [(f"d{n}", n, 10.0 + n) for n in range(number + 1)]
            assert rows(read(reader, known, city=city), known) == expected
            newest = np.array([known.id_of(Series(city, f"d{number}", "no2"))])
            assert rows(read(reader, known, city=city, series=newest), known) == expected[-1:]
    other = SeriesTable([Series("oslo", "d2", "no2")])  # another caller's numbers
    assert rows(read(reader, other), other) == expected
    writer.close()
    reader.close()


# The newest reading of each series: what a read of all hours gives, without the read.
START = T0 // DAY * DAY
Found = dict[Series, tuple[int, float]]


def written(store: Store, seed: int) -> None:
    """Three days of hours of forty series with gaps; hours without an accepted reading, NaN for values."""
    chance, table = random.Random(seed), SeriesTable()
    at = [(n, hour) for n in range(40) for hour in range(72) if chance.random() < n / 40]
    values = [chance.choice((-2.5, chance.random(), math.nan)) for _ in at]
    start = [START + hour * HOUR for _, hour in at]
    last = [t + chance.randrange(HOUR) for t in start]
    n = [int(chance.random() < 0.8) for _ in at]
    rows = [(f"m{device}", 0, 1.0) for device, _ in at]
    store.put_partials("hour", partials(table, *rows, start=start, last_t=last, last=values, n=n), table)


def read_whole(store: Store, start: int, end: int, table: SeriesTable, series: IntArray | None) -> Found:
    """By reading every hour."""
    found: Found = {}
    for chunk in store.partials("aba", "hour", start, end, table, series):
        mine: Partials = chunk.take(np.flatnonzero(chunk.n > 0))
        for number, t, value in zip(mine.series.tolist(), mine.last_t.tolist(), mine.last.tolist(), strict=True):
            if found.get(table[number], (t, 0.0))[0] <= t:
                found[table[number]] = t, value
    return found


def newest(store: Store, start: int, end: int, table: SeriesTable, series: IntArray | None) -> Found:
    found = store.newest_readings("aba", start, end, table, series)
    return {
        table[number]: (t, value)
        for number, t, value in zip(found.series.tolist(), found.t.tolist(), found.value.tolist(), strict=True)
    }


def test_the_newest_readings_are_those_of_a_read_of_all_hours(store: Store) -> None:
    written(store, 1)
    written_elsewhere = SeriesTable()
    store.put_partials("hour", partials(written_elsewhere, ("other", 0, 1.0), city="abb"), written_elsewhere)
    for first, last in ((0, 72), (0, 1), (20, 29), (30, 72), (71, 80), (90, 99), (5, 5)):
        start, end = START + first * HOUR, START + last * HOUR
        ours, whole = SeriesTable(), SeriesTable()
        wanted = read_whole(store, start, end, whole, None)
        assert repr(sorted(newest(store, start, end, ours, None).items())) == repr(sorted(wanted.items()))
        assert bool(wanted) == (first < last < 90)


def test_only_the_series_that_are_asked_for(store: Store) -> None:
    written(store, 2)
    table = SeriesTable([Series("aba", f"m{n}", "no2") for n in range(1, 40, 3)])
    chosen = np.arange(len(table), dtype=np.int64)
    end = START + 72 * HOUR
    wanted = read_whole(store, START, end, SeriesTable(table.all), chosen)
    assert len(wanted) > 8
    assert repr(sorted(newest(store, START, end, table, chosen).items())) == repr(sorted(wanted.items()))
    assert not newest(store, START, end, SeriesTable(), chosen[:0])


def test_an_empty_store_has_none(store: Store) -> None:
    assert not len(store.newest_readings("aba", 0, T0, SeriesTable()).t)


def test_a_table_that_named_single_series_gets_all_others_later(store: Store) -> None:
    put(store, *((f"d{n}", minute, n) for n in range(9) for minute in range(2)))
    table = SeriesTable([Series("aba", "d7", "no2"), Series("other", "d1", "no2"), Series("aba", "none", "no2")])
    single = np.arange(3, dtype=np.int64)
    assert rows(read(store, table, series=single), table) == [("d7", 0, 7.0), ("d7", 1, 7.0)]
    put(store, ("none", 0, 5.0))
    assert rows(read(store, table, series=single), table)[-1] == ("none", 0, 5.0)
    found = rows(read(store, table), table)
    assert sorted(found) == sorted([*((f"d{n}", m, float(n)) for n in range(9) for m in range(2)), ("none", 0, 5.0)])
    put(store, ("new", 3, 1.0))
    assert ("new", 3, 1.0) in rows(read(store, table), table)


def test_few_and_many_series_are_read_alike(store: Store) -> None:
    """Rows of several hours and days, in chunks in time order."""
    given_rows = [(f"d{n}", minute, n + minute) for minute in (0, 1, 70, 1500, 1501, 4000) for n in range(12)]
    table = put(store, *given_rows)
    chosen = np.array([table.id_of(Series("aba", f"d{n}", "no2")) for n in (11, 2)], dtype=np.int64)
    chunks = list(store.partials("aba", "window", T0 + MINUTE, T0 + 1501 * MINUTE, table, chosen))
    assert sorted(row for chunk in chunks for row in rows(chunk, table)) == sorted(
        (d, m, float(v)) for d, m, v in given_rows if d in ("d11", "d2") and 1 <= m < 1501
    )
    assert all(a.start.max() < b.start.min() for a, b in pairwise(chunks))
    for chunk in chunks:
        assert bits(chunk) == bits(chunk.latest())
