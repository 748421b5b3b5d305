"""The write path of InfluxDB 2, through influxdb-client into a real server that takes /api/v2/write."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from adapters.influx.http import UnreadableAnswer
from adapters.store import Store
from adapters.stores import open_store
from telemetry.kpi_value import KpiQuery
from telemetry.series import SeriesTable
from tests.adapters.stores.samples import T0, kpi, partials
from tests.servers import VictoriaMetrics


@pytest.fixture
def store(victoria: VictoriaMetrics) -> Iterator[Store]:
    opened = open_store(f"influxdb2://{victoria.host}:{victoria.port}/bucket?org=town")
    yield opened
    opened.close()


def samples(victoria: VictoriaMetrics, metric: str, city: str) -> dict[tuple[str, int], float]:
    """(device or part, ms) -> value."""
    found = victoria.export(f'{{__name__="{metric}",city="{city}"}}')
    return {
        (series["metric"].get("device") or series["metric"]["part"], t): value
        for series in found
        for t, value in zip(series["timestamps"], series["values"], strict=True)
    }


def test_partials_arrive(victoria: VictoriaMetrics, store: Store) -> None:
    table = SeriesTable()
    store.put_partials("window", partials(table, ("a", 0, 1.25), ("b:1", 1, 3.0), city="v1"), table)
    assert samples(victoria, "window_sum", "v1") == {("a", T0): 1.25, ("b:1", T0 + 60_000): 3.0}
    assert samples(victoria, "window_n", "v1") == {("a", T0): 1, ("b:1", T0 + 60_000): 1}


def test_what_does_not_exist_does_not_arrive(victoria: VictoriaMetrics, store: Store) -> None:
    table = SeriesTable()
    store.put_partials("window", partials(table, ("a", 0, 0.0), city="v2", n=[0], min=[math.nan]), table)
    assert samples(victoria, "window_min", "v2") == {}
    assert samples(victoria, "window_n", "v2") == {("a", T0): 0}


def test_kpi_values_arrive_whatever_their_notes_hold(victoria: VictoriaMetrics, store: Store) -> None:
    texts = {"no2": "plain", "o3": 'two\nlines, "quoted" = x', "": "back\\slash"}
    store.put_kpis(kpi(2.5, city="v3", part=part, notes=text) for part, text in texts.items())
    assert samples(victoria, "kpi_value", "v3") == {("no2", T0): 2.5, ("o3", T0): 2.5, ("-", T0): 2.5}


def test_reading_from_a_server_that_only_takes_writes_is_reported(store: Store) -> None:
    with pytest.raises(UnreadableAnswer, match="cannot read"):
        store.kpis(KpiQuery("aba"))
