"""The laws of fold, merge and regroup, for gauges, counters with resets and rollovers, and flagged readings."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from telemetry.partials import Partials, fold, merge, regroup, step
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import HOUR, MINUTE, window_start
from tests.telemetry.samples import COUNTER, GAUGE, MODULUS, ROLLING, T0, assert_same, bits, folded, modulus, readings

CUT = st.integers(0, 6 * 60).map(lambda s: T0 + 1000 * s)


def merged(a: Partials, b: Partials) -> Partials:
    return merge(a, b, np.concatenate([modulus(a), modulus(b)]))


def halves(all_of_it: Readings, cut: int) -> tuple[Readings, Readings]:
    before = all_of_it.t < cut
    return all_of_it.take(np.flatnonzero(before)), all_of_it.take(np.flatnonzero(~before))


def one(value: list[float], flag: list[int] | None = None, series: int = COUNTER) -> Partials:
    """One series, a reading a second."""
    size = len(value)
    return folded(Readings.of([series] * size, [T0 + 1000 * i for i in range(size)], value, flag=flag))


@given(readings(), CUT)
def test_fold_of_both_halves_is_the_merge_of_their_folds(found: Readings, cut: int) -> None:
    a, b = halves(found, cut)
    assert_same(folded(found), merged(folded(a), folded(b)))


@given(readings(), CUT, CUT)
def test_merge_is_associative(found: Readings, one_cut: int, other_cut: int) -> None:
    early, late = sorted((one_cut, other_cut))
    a, rest = halves(found, early)
    b, c = halves(rest, late)
    fa, fb, fc = folded(a), folded(b), folded(c)
    assert_same(merged(merged(fa, fb), fc), merged(fa, merged(fb, fc)))


@given(readings())
def test_the_empty_partial_is_the_identity_of_merge(found: Readings) -> None:
    plain, empty = folded(found), Partials.empty()
    assert bits(merged(plain, empty)) == bits(plain) == bits(merged(empty, plain))


@given(readings(), st.randoms(use_true_random=False))
def test_fold_does_not_depend_on_the_order_of_rows(found: Readings, dice: object) -> None:
    order = np.array(dice.sample(range(len(found)), len(found)), dtype=np.int64)  # type: ignore[attr-defined]
    assert bits(folded(found.take(order))) == bits(folded(found))


@given(readings(minutes=150, most=30), st.sampled_from([1, 2, 5, 6, 10, 12, 15, 20, 30]))
def test_regrouping_by_way_of_any_middle_width_is_folding_at_once(found: Readings, minutes: int) -> None:
    base = folded(found)
    middle = regroup(base, window_start(base.start, minutes * MINUTE), modulus(base))
    top = regroup(middle, window_start(middle.start, HOUR), modulus(middle))
    assert_same(top, folded(found, HOUR))
    direct = regroup(base, window_start(base.start, HOUR), modulus(base))
    assert_same(top, direct)


@given(readings())
def test_regrouping_to_the_width_it_has_changes_nothing(found: Readings) -> None:
    plain = folded(found)
    assert bits(regroup(plain, plain.start, modulus(plain))) == bits(plain)


@given(readings(), st.randoms(use_true_random=False))
def test_of_duplicates_the_latest_is_kept_whatever_surrounds_it(found: Readings, dice: object) -> None:
    plain = folded(found)
    rows = np.array(dice.choices(range(len(plain)), k=5), dtype=np.int64) if len(plain) else np.empty(0, dtype=np.int64)  # type: ignore[attr-defined]
    stale = plain.take(rows)
    stale.sum[:] = -1.0
    assert bits(Partials.concat([stale, plain, plain]).latest()) == bits(plain)


@given(readings())
def test_a_partial_is_what_plain_arithmetic_says(found: Readings) -> None:
    rows = sorted(zip(*(c.tolist() for c in (found.series, found.t, found.key, found.value, found.flag)), strict=True))
    windows: dict[tuple[int, int], list[tuple[int, float, int]]] = {}
    for series, t, _, value, flag in rows:
        windows.setdefault((series, t // MINUTE * MINUTE), []).append((t, value, flag))
    plain = folded(found)
    assert [(s, w) for s, w in zip(plain.series.tolist(), plain.start.tolist(), strict=True)] == sorted(windows)
    for i, (_, members) in enumerate(sorted(windows.items())):
        accepted = [value for _, value, flag in members if not flag]
        assert (plain.n[i], plain.flagged[i]) == (len(accepted), len(members) - len(accepted))
        assert math.isclose(plain.sum[i], sum(accepted), abs_tol=1e-9)
        assert math.isclose(plain.sumsq[i], sum(v * v for v in accepted), abs_tol=1e-6)
        times = [t for t, _, flag in members if not flag] or [0]
        assert (plain.first_t[i], plain.last_t[i]) == (times[0], times[-1])
        if accepted:
            ends = (plain.min[i], plain.max[i], plain.first[i], plain.last[i])
            assert ends == (min(accepted), max(accepted), accepted[0], accepted[-1])
        else:
            assert all(math.isnan(getattr(plain, name)[i]) for name in ("min", "max", "first", "last", "mean"))


def test_fold_of_nothing_is_nothing() -> None:
    assert len(folded(Readings.of([], [], []))) == 0
    assert len(regroup(Partials.empty(), np.empty(0, dtype=np.int64), np.empty(0))) == 0


def test_the_mean_of_one_reading_is_the_reading_and_of_more_their_sum_by_their_number() -> None:
    assert one([5.0], series=GAUGE).mean.tolist() == [5.0]
    assert one([5.0, 6.0, 10.0], series=GAUGE).mean.tolist() == [7.0]


def test_concatenation_keeps_all_rows_in_order() -> None:
    a, b = one([1.0], series=GAUGE), one([2.0, 4.0])
    assert bits(Partials.concat([a])) == bits(a)
    assert Partials.concat([b, a]).sum.tolist() == [6.0, 1.0]
    assert len(Partials.concat([])) == 0


def test_one_reading_has_no_increase_yet() -> None:
    assert one([5.0]).increase.tolist() == [0.0]
    assert math.isnan(one([5.0], series=GAUGE).increase[0])


def test_a_counter_counts_its_steps() -> None:
    assert one([10.0, 12.5, 12.5, 20.0]).increase.tolist() == [10.0]


def test_a_reset_counts_what_the_meter_shows_since() -> None:
    assert one([100.0, 103.0, 2.0, 5.0]).increase.tolist() == [3.0 + 2.0 + 3.0]


def test_a_register_that_rolls_over_goes_on_counting() -> None:
    assert one([990.0, 995.0, 4.0], series=ROLLING).increase.tolist() == [14.0]


def test_a_fall_from_below_the_last_tenth_is_a_reset_even_with_a_modulus() -> None:
    assert one([500.0, 4.0], series=ROLLING).increase.tolist() == [4.0]
    assert step(np.array([990.0]), np.array([200.0]), np.array([1000.0])).tolist() == [200.0]


def test_counters_join_across_windows_that_hold_only_flagged_readings() -> None:
    t = [T0, T0 + MINUTE, T0 + 2 * MINUTE]
    base = folded(Readings.of([COUNTER] * 3, t, [10.0, 9e9, 16.0], flag=[0, 1, 0]))
    hour = regroup(base, window_start(base.start, HOUR), modulus(base))
    assert (hour.increase[0], hour.n[0], hour.flagged[0]) == (6.0, 2, 1)


def test_a_flagged_reading_is_counted_and_left_out() -> None:
    found = one([1.0, 500.0, 3.0], flag=[0, 1, 0], series=GAUGE)
    assert (found.n[0], found.flagged[0], found.max[0], found.sum[0]) == (2, 1, 3.0, 4.0)


def test_a_window_of_flagged_readings_only_has_no_value_and_no_zero_mean() -> None:
    found = one([1.0, 2.0], flag=[1, 2], series=GAUGE)
    assert (found.n[0], found.flagged[0], found.first_t[0]) == (0, 2, 0)
    assert np.isnan([found.min[0], found.max[0], found.first[0], found.last[0], found.mean[0]]).all()


def test_a_counter_without_an_accepted_reading_has_counted_nothing() -> None:
    assert one([7.0, 9.0], flag=[1, 1]).increase.tolist() == [0.0]


def test_lag_is_the_largest_delay_of_the_window() -> None:
    found = Readings.of([GAUGE] * 2, [T0, T0 + 1000], [1.0, 2.0], arrival=[T0 + 50, T0 + 901_000])
    assert folded(found).lag.tolist() == [900_000]


def test_every_kind_of_column_keeps_its_type_through_fold_and_merge() -> None:
    plain = one([1.0, 2.0])
    twice = merged(plain, plain)
    assert [getattr(plain, n).dtype for n in ("n", "sum", "lag")] == [
        getattr(twice, n).dtype for n in ("n", "sum", "lag")
    ]
    assert fold(Readings.of([], [], []), MINUTE, MODULUS[:0]).n.dtype == np.int64


@given(readings())
def test_the_latest_rows_of_sorted_ones_are_these_and_no_copy(found: Readings) -> None:
    plain = folded(found)
    assert plain.latest().sum is plain.sum
    assert plain.where(np.ones(len(plain), dtype=np.bool_)) is plain
    assert bits(plain.where(np.zeros(len(plain), dtype=np.bool_))) == bits(Partials.empty()) or not len(plain)


def test_names_of_a_series_may_be_texts_of_numpy() -> None:
    table = SeriesTable()
    number = table.id_of(Series(*np.array(["aba", "m1", "energy_total"])))
    assert table.id_of(Series("aba", "m1", "energy_total")) == number
    assert {type(name) for name in table[number]} == {str}
