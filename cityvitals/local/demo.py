"""`cityvitals demo`: a complete city on this machine - broker, simulated nodes, gateway, ingest, API, live page."""

from __future__ import annotations

import logging
import shlex
import shutil
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import tomlkit
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from adapters.stores import open_store
from api.server import listen
from cityvitals.clock import now_ms
from cityvitals.local.broker import mosquitto
from cityvitals.local.children import Local, Watched, answers, free_port, interruptible
from cityvitals.local.showcase import figures, setting
from cityvitals.replay import history
from cityvitals.replay.replay import Replay
from registry.city import City
from registry.config import load_city
from reporting.region.figures_import import import_figures
from simulators.faults import faults_of, unregistered_devices
from telemetry.periods import local_date
from telemetry.windows import BASE_WIDTH, DAY, MINUTE

LIVE_MS = 30_000
_READY_S = 300.0  # ingest may have to read a year of history from InfluxDB on a busy machine


@dataclass(slots=True)
class Demo:
    """One demo in one folder."""

    folder: Path
    port: int
    console: Console
    local: Local
    store: str
    simulate: dict[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        """The settings of the programs."""
        return self.folder / "cityvitals.toml"

    @property
    def url(self) -> str:
        """The live page."""
        return f"http://localhost:{self.port}"

    # -- history -----------------------------------------------------------------------------------------------------

    def write_history(self, city: City, days: int) -> None:
        """Write the history up to now, or what is missing since the last run."""
        logging.getLogger("ingest.core").setLevel(logging.ERROR)  # of the unregistered one: the page shows it
        store = open_store(self.store)
        replay = Replay(city, store, self.folder / "history.db", BASE_WIDTH)
        span = store.span(city.id, "window")
        until = now_ms() - 2 * MINUTE
        since = span[1] + MINUTE if span else until - days * DAY
        label = "history: missing time" if span else f"history: {days} day{'' if days == 1 else 's'}"
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
        )
        if until - since > LIVE_MS:
            with Progress(*columns, console=self.console) as bar:
                task = bar.add_task(label, total=1.0)
                settings = setting.simulate_settings(self.simulate)
                unlisted = unregistered_devices(settings, city.device)
                faults, goes_on = faults_of(settings), span is not None
                for share in history.write(replay, since, until, LIVE_MS, faults, unlisted, goes_on):
                    bar.update(task, completed=share)
        self.console.print(
            f"history ready: {replay.summary.stored:,} readings written, {replay.summary.kpis:,} KPI values"
        )
        replay.buffer.close()
        store.close()

    def write_figures(self, city: City) -> None:
        """Figures of the last five full years, of this city and its neighbours."""
        now = now_ms()
        last = (local_date(now, city.zone) - timedelta(days=1)).year - 1
        path = self.folder / "figures.csv"
        path.write_text(figures.as_csv(last), encoding="utf-8")
        store = open_store(self.store)
        done = import_figures(store, path, figures.neighbours(), now)
        store.close()
        self.console.print(f"figures ready: {done.figures:,} of {done.cities} cities, in {path.name}")

    # -- processes ---------------------------------------------------------------------------------------------------

    def start(self, broker_port: int, nodes: int) -> None:
        """Start broker, gateway, ingest, API and nodes, and wait until the API answers."""
        tokens = setting.new_tokens(self.folder / "tokens")
        self.local.start_broker(broker_port)
        self.local.start(("gateway", "ingest", "api", "simulate"), self.config)
        ready = f"http://127.0.0.1:{self.port}/readyz"
        self.local.wait("the API", lambda: answers(ready), _READY_S)
        self.local.wait_for_gateway()
        self._print_addresses(broker_port, nodes, tokens)

    # -- configuration and output ------------------------------------------------------------------------------------

    def write_config(self, broker_port: int) -> None:
        """The settings of the programs, with the faults that history and nodes show."""
        url = {"url": f"mqtt://127.0.0.1:{broker_port}"}
        settings = {
            "city_files": ["city.toml"],
            "gateway": {"id": "demo-gateway", "broker": url, "buffer": str(self.folder / "gateway.db")},
            "ingest": {"broker": url, "rejects": str(self.folder / "ingest-rejects.db")},
            "store": {"url": self.store},
            "api": {
                "port": self.port,
                "tokens": str(self.folder / "tokens"),
                "public": True,
                "ground": str(self.folder / "ground.json"),
                "sessions": str(setting.sessions_of(self.folder).parent),
            },
            "simulate": {"broker": url, "interval_s": LIVE_MS / 1000, **self.simulate},
        }
        self.config.write_text(tomlkit.dumps(settings), encoding="utf-8")

    def _print_addresses(self, broker_port: int, nodes: int, tokens: dict[str, str]) -> None:
        kind = "Mosquitto" if mosquitto() else "amqtt, embedded"
        program, store = _program(), shlex.quote(self.store)
        of = f"  --period {_last_month()} --sessions {shlex.quote(str(setting.sessions_of(self.folder)))}"
        scenario = shlex.quote(str(self.folder / "scenario.toml"))
        rows = (
            ("live page", self.url),
            ("API", f"{self.url}/v1/cities  (described in {self.url}/openapi.json)"),
            ("broker", f"mqtt://127.0.0.1:{broker_port}  ({kind})"),
            ("nodes", f"{nodes} simulated, each measures every {LIVE_MS // 1000} s; three have a fault"),
            ("store", self.store),
            ("data, logs", str(self.folder)),
            ("a plan", f"{program} plan scenario {scenario} --city demo --store {store} \\"),
            ("", of),
            ("", f"{program} plan charging --points 40 --feeder hill-park --city demo --store {store} \\"),
            ("", of),
            ("sign in", f"{self.url}/admin, with a token of this start:"),
            *((f"  {role}", token) for role, token in tokens.items()),
        )
        for name, what in rows:
            self.console.print(f"  {name:<11} {what}", highlight=False, markup=False, soft_wrap=True)
        self.console.print("Ctrl-C stops everything; the next start continues with the same data.")


def _program() -> str:
    """The command to type for this program: its path where it is not on the PATH, as after `make demo`."""
    called = sys.argv[0]
    return shlex.quote(called) if Path(called).name == "cityvitals" and not shutil.which("cityvitals") else "cityvitals"


def _last_month() -> str:
    last = datetime.fromtimestamp(now_ms() / 1000, UTC).replace(day=1) - timedelta(days=1)
    return last.strftime("%Y-%m")


def run(folder: Path, port: int, seconds: float | None, days: int, store: str = "") -> None:
    """Run the demo for `seconds`, or until interrupted. `store`: its URL; empty for a SQLite file in the folder."""
    listen("127.0.0.1", port).close()
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    city_file = folder / "city.toml"
    setting.write_city(city_file)
    setting.write_files(folder)
    local = Local(folder)
    demo = Demo(folder, port, Console(), local, store or f"sqlite:///{folder / 'store.db'}")
    demo.simulate = setting.simulated(demo.config, now_ms())
    with interruptible(local.stop):
        try:
            city = load_city(city_file)
            broker_port = free_port()
            demo.write_config(broker_port)
            demo.write_history(city, days)
            demo.write_figures(city)
            demo.start(broker_port, len(city.device))
            watched = Watched([city_file])
            end = time.monotonic() + seconds if seconds is not None else None
            while end is None or time.monotonic() < end:
                local.check()
                watched.take_over(local, demo.config)
                time.sleep(0.2)
        except KeyboardInterrupt:
            pass
        demo.console.print("stopping ...")
    demo.console.print("stopped; no process is left running.")
