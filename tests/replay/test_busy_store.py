"""A store that is unavailable for a moment does not end a replay; one that stays away does, with its sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters import retried
from adapters.sqlite.store import SqliteStore
from cityvitals.replay.replay import Replay, run
from registry.city import City
from telemetry.errors import Unavailable
from telemetry.kpi_value import KpiQuery
from telemetry.windows import MINUTE

CITY = City.model_validate(
    {
        "city": {"id": "aba", "name": "Aba", "country": "NG", "timezone": "Africa/Lagos"},
        "device": [{"id": "a1", "kind": "air_reference", "quantities": ["no2"], "interval_s": 3600}],
    }
)
ROWS = [f"2024-03-{day:02}T{hour:02}:00:00Z,a1,no2,{day + hour},ug/m3" for day in range(1, 6) for hour in range(24)]


class Busy(SqliteStore):
    """Refuses writes as a busy server does: each `every`-th; none where it is 0."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.every, self.calls = 0, 0

    def _busy(self) -> None:
        self.calls += 1
        if self.every and self.calls % self.every == 0:
            raise Unavailable("The store reports an error (500): timeout.")

    def put_partials(self, *arguments: Any) -> None:
        self._busy()
        super().put_partials(*arguments)

    def put_kpis(self, *arguments: Any) -> None:
        self._busy()
        super().put_kpis(*arguments)


def values(folder: Path, every: int) -> list[Any]:
    folder.mkdir()
    file = folder / "rows.csv"
    file.write_text("\n".join(["time,device,quantity,value,unit", *ROWS]))
    store = Busy(folder / "store.db")
    made = Replay(CITY, store, folder / "raw.db", MINUTE)
    store.every = every
    run(made, [file], None, lambda *_: None)
    return [v.kpi for v in store.kpis(KpiQuery("aba"))]


def test_what_a_busy_store_refuses_is_written_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retried, "PAUSES", (0.0,) * 5)
    plain = values(tmp_path / "plain", 0)
    assert plain
    assert values(tmp_path / "busy", 3) == plain


def test_a_store_that_stays_away_ends_the_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retried, "PAUSES", (0.0,) * 5)
    with pytest.raises(Unavailable, match="timeout"):
        values(tmp_path / "away", 1)
