"""/readyz follows readings from gateway to value; /healthz says only that this process serves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from adapters.sqlite.store import SqliteStore
from adapters.store import Heartbeat
from tests.api.city import CITY, NOW, seed

S = 1000


@pytest.mark.parametrize(
    ("beats", "said"),
    [
        ({"ingest": 5, "gateway": 5, "kpi": 5}, ""),
        ({"ingest": 500, "gateway": 500, "kpi": 500}, "ingest ingest-1: last heartbeat"),
        ({"ingest": 5, "gateway": 500, "kpi": 5}, "gateway gateway-1: last window"),
        ({"ingest": 5, "gateway": 5, "kpi": 8000}, "KPI values of lindhaven: last written"),
        ({}, ""),
    ],
)
def test_ready_is_what_is_heard_end_to_end(
    beats: dict[str, int], said: str, tmp_path: Path, serving: Callable[..., str]
) -> None:
    store = SqliteStore(tmp_path / "city.db")
    seed(store)
    names = {"ingest": "ingest-1", "gateway": "gateway-1", "kpi": CITY}
    store.put_heartbeats(Heartbeat(role, names[role], NOW - ago * S) for role, ago in beats.items())
    url = serving(store)
    answer = httpx.get(f"{url}/readyz")
    assert (answer.status_code, said in answer.json().get("detail", "")) == (503 if said else 200, True)
    assert httpx.get(f"{url}/healthz").json() == {"status": "ok"}
    text = httpx.get(f"{url}/metrics").text
    for role, ago in beats.items():
        line = f'cityvitals_heartbeat_timestamp_seconds{{role="{role}",name="{names[role]}"}} '
        assert f"{line}{NOW / 1000 - ago:.12g}" in text
