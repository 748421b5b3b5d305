"""Plants of many megawatts: MW, GWh and ranges of their own, from a message to the KPI, and from a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.sqlite.buffer import Buffer
from adapters.sqlite.rejects import Rejects
from adapters.sqlite.store import SqliteStore
from gateway.core import Core, Incoming
from gateway.plausible import Registered
from gateway.sources import made_sources
from ingest.core import Ingest
from ingest.service import Service
from registry.config import load_city
from registry.settings import SourceSettings
from telemetry.kpi_value import KpiQuery
from telemetry.windows import DAY, MINUTE
from telemetry.wire import encode
from tests.ingest.samples import T0, NoNetwork
from tests.replay import cli

MW, HOURS = 48.2, 24
KWH_A_DAY = 1000 * MW * HOURS
WIDER = {"power": "plausible.power = [-1e9, 1e9]", "energy_delta": "plausible.energy_delta = [0, 1e6]"}
QUARTERS = range(HOURS * 4 + 1)  # of 2024-03-01, with the reading at its end


def city(folder: Path, quantity: str, more: str) -> Path:
    path = folder / "town.toml"
    path.write_text(
        '[city]\nid = "town"\nname = "Town"\ncountry = "DE"\ntimezone = "UTC"\n'
        f'[[device]]\nid = "plant"\nkind = "electricity_meter"\nquantities = ["{quantity}"]\ninterval_s = 900\n{more}\n'
    )
    return path


ROWS = {"power": (MW, "MW"), "energy_delta": (MW / 4000, "GWh")}


@pytest.mark.parametrize("quantity", ROWS)
@pytest.mark.parametrize("wide", [True, False])
def test_a_file_of_a_plant(quantity: str, wide: bool, tmp_path: Path) -> None:
    """48.2 MW for a day; without a range of its own, more than 10 MW, or 10,000 kWh, is flagged."""
    number, unit = ROWS[quantity]
    rows = [f"2024-03-01T{q // 4:02}:{q % 4 * 15:02}:00Z,plant,{quantity},{number},{unit}" for q in QUARTERS[:-1]]
    (tmp_path / "rows.csv").write_text("time,device,quantity,value,unit\n" + "\n".join(rows) + "\n")
    store = f"sqlite:///{tmp_path}/s.db"
    path = city(tmp_path, quantity, WIDER[quantity] if wide else "")
    done = cli.replay(path, store, tmp_path / "rows.csv", how=cli.here)
    assert done["flagged"] == (0 if wide else 96)
    found = cli.values("town", store, "2024-03-01")
    expected = [pytest.approx(KWH_A_DAY, rel=1e-12), pytest.approx(1000 * MW, rel=1e-12)] if wide else [None, None]
    assert [found[code, ""]["value"] for code in ("LOCAL:E:METERED", "LOCAL:E:PEAK")] == expected


def test_messages_of_a_plant_reach_the_kpi_through_gateway_and_ingest(tmp_path: Path) -> None:
    made = load_city(city(tmp_path, "power", WIDER["power"]))
    source = SourceSettings(
        topic="plants/{device}", format="json", city="town",
        values={"output": {"quantity": "power", "unit": "MW"}}, time={"path": "at"},
    )  # fmt: skip
    buffer = Buffer(tmp_path / "gateway.db", MINUTE)
    core = Core(buffer, made_sources([source]), registered=Registered.of([made]))
    start = T0 - T0 % DAY
    sent = [json.dumps({"at": (start + q * 15 * MINUTE) / 1000, "output": MW}).encode() for q in QUARTERS]
    counts = core.accept([Incoming("plants/plant", payload) for payload in sent], start + 2 * DAY)
    assert (counts.stored, counts.rejected) == (97, 0)
    dirty, partials = core.pending(1000, newest_first=False, city="town")
    carried = core.assign_messages(dirty, partials)
    link = NoNetwork([[encode(m.city, MINUTE, m.partials, buffer.table, m.number) for m in carried]])
    ingest, store = Ingest(SqliteStore(tmp_path / "store.db")), SqliteStore(tmp_path / "store.db")
    ingest.add_city(made, MINUTE)
    network: Any = link
    Service(ingest, network, Rejects.open(tmp_path / "rejects.db"), lambda: start + 3 * DAY).step(0)
    [found] = store.kpis(KpiQuery("town", kinds=["day"], codes=["LOCAL:E:METERED"], start=start, end=start + 1))
    assert found.kpi.value == pytest.approx(KWH_A_DAY, rel=1e-12)
