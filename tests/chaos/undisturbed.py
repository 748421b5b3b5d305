"""All KPIs as the same programs give them where nothing ever fails: everything at once and in order.

Not independent of what it checks, as batch.py is for some of the KPIs. It shows what lateness, repetition, order and
restarts leave behind in any of them.
"""

from __future__ import annotations

from pathlib import Path

from adapters.sqlite.buffer import Buffer
from adapters.sqlite.store import SqliteStore
from gateway.core import Core, Incoming, Source
from ingest.core import Ingest
from registry.config import load_city
from simulators.journal import payload
from telemetry.periods import CALENDAR
from telemetry.windows import MINUTE
from telemetry.wire import decode, encode
from tests.chaos.fleet import Fleet
from tests.chaos.world import CITIES

_PACK = 200


def kpis(folder: Path, fleet: Fleet, now: int, place: str) -> dict[tuple[str, str, str], float | None]:
    """(code, part, period) -> value of a city, of all calendar periods. `now`: ms UTC."""
    folder = folder / place
    folder.mkdir(parents=True)
    core = Core(Buffer(folder / "gateway.db", MINUTE), [Source("cv/1/{city}/{device}/data", "senml")])
    for node in [n for n in fleet.nodes if n.city == place]:
        for start in range(0, len(node.written), _PACK):
            message = payload(node.written[start : start + _PACK])
            core.accept([Incoming(f"cv/1/{place}/{node.device.id}/data", message)], now)
    ingest = Ingest(SqliteStore(folder / "store.db"))
    city = ingest.add_city(load_city(CITIES[place]), MINUTE)
    _, partials = core.pending(1 << 30)
    ingest.take(place, decode(encode(place, MINUTE, partials, core.buffer.table), ingest.table)[2])
    ingest.derive(now)
    found = {(v.kpi.code, v.kpi.part, v.kpi.period): v.kpi.value for v in city.newest() if v.kpi.kind in CALENDAR}
    core.buffer.close()
    ingest.store.close()
    return found
