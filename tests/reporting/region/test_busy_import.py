"""A store that is unavailable for a moment does not end an import; one that stays away does, with its sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters import retried
from adapters.sqlite.store import SqliteStore
from reporting.region.cities_file import read_cities
from reporting.region.figures_import import import_figures
from telemetry.errors import Unavailable
from telemetry.kpi_value import KpiQuery
from tests.reporting.region.country import cities, cities_csv, write

NOW = 1_790_000_000_000
ROWS = cities()[:5]


class Busy(SqliteStore):
    """Does not answer as a busy server does not: each `every`-th call, or a write of more than one city."""

    every, whole, calls = 0, True, 0

    def _answer(self) -> None:
        self.calls += 1
        if self.every and self.calls % self.every == 0:
            raise Unavailable("The store does not answer: Read timed out.")

    def put_city(self, *arguments: Any) -> None:
        self._answer()
        super().put_city(*arguments)

    def kpis(self, *arguments: Any) -> Any:
        self._answer()
        return super().kpis(*arguments)

    def cities(self) -> Any:
        self._answer()
        return super().cities()

    def put_kpis(self, values: Any) -> None:
        values = list(values)
        self._answer()
        if not self.whole and len({v.kpi.city for v in values}) > 1:
            raise Unavailable("The store reports an error (500): timeout.")
        super().put_kpis(values)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retried, "PAUSES", (0.0,) * 5)


def values(folder: Path, **trouble: Any) -> list[Any]:
    """What a store with this trouble holds after the import, and after the same import once more."""
    folder.mkdir()
    figures, _, _ = write(folder, ROWS, range(2023, 2026))
    store = Busy(folder / "store.db")
    places, _ = read_cities(cities_csv(ROWS), "cities.csv", [])
    for name, value in trouble.items():
        setattr(store, name, value)
    changed = [import_figures(store, figures, places, NOW).changed for _ in range(2)]
    store.every = 0
    found = [v.kpi for place in places for v in store.kpis(KpiQuery(place.id))]
    assert changed == [len(found), 0]
    return found


def test_what_a_busy_store_refuses_is_written_later(tmp_path: Path) -> None:
    plain = values(tmp_path / "plain")
    assert len(plain) == 5 * 3 * 112
    assert values(tmp_path / "busy", every=3) == plain
    assert values(tmp_path / "too-much", whole=False) == plain
    assert values(tmp_path / "both", whole=False, every=2) == plain


def test_a_store_that_stays_away_ends_the_import(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="Read timed out"):
        values(tmp_path / "away", every=1)
