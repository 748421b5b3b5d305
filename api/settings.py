"""The settings of the HTTP API."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from api.login.people import People
from api.operator import Operator
from registry.health import STANDARD, Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """Address, the interval `poll_s` of queries for changes, and the interval `beat_s` of heartbeats to live clients.

    `tokens`: the file of read tokens, see api/access.py; None: public. `rate`: requests a second and client,
    after a first `burst`; 0: unlimited. `max_live`: clients of the live feed; `max_connections`: open at once, beyond
    which the answer is 503. `proxies`: addresses whose X-Forwarded-For names the client. `limits`: after
    which silence /readyz calls a program stopped. `public`: reading needs no token though there are some; `operator`:
    what operators may do here; `tiles`: the address of map tiles, with {z}, {x} and {y};
    `tile_file`: a PMTiles file with them;
    `ground`: a GeoJSON file under the map; `sessions`: a folder with `<city>.csv` of recorded charging, for plans.
    `wait_s`: how long the first request waits for what is made beside it.
    `people`: who signs in with an identity provider.
    `signing_key`: of `cityvitals keygen`; with it, the pages of the index feed are signed.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    poll_s: float = 1.0
    beat_s: float = 15.0
    title: str = "CityVitals"
    tokens: Path | None = None
    rate: float = 0.0
    burst: float = 500.0
    max_live: int = 1000
    max_connections: int = 2000
    proxies: tuple[str, ...] = ()
    signing_key: Path | None = None
    limits: Limits = STANDARD
    public: bool = False
    operator: Operator = field(default_factory=Operator)
    tiles: str = ""
    tiles_attribution: str = ""
    tile_file: Path | None = None
    ground: Path | None = None
    sessions: Path | None = None
    people: People | None = None
    wait_s: float = 1.0
