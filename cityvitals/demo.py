"""`cityvitals demo`: a whole city on this machine - broker, simulated nodes, gateway, ingest, API, live page."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from adapters.store import open_store
from api.server import listen
from cityvitals.broker import mosquitto, mosquitto_config
from cityvitals.clock import now_ms
from cityvitals.processes import PARENT
from cityvitals.replay import history
from cityvitals.replay.replay import Replay
from registry.city import City
from registry.config import load_city
from telemetry.errors import CityVitalsError
from telemetry.windows import BASE_WIDTH, DAY, MINUTE

LIVE_MS = 30_000
_PATIENCE = 30.0


@dataclass(slots=True)
class Demo:
    """One demo in one folder. Everything it starts is ended by `stop`."""

    folder: Path
    port: int
    console: Console
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The live page."""
        return f"http://localhost:{self.port}"

    # -- history -----------------------------------------------------------------------------------------------------

    def write_history(self, city: City, days: int) -> None:
        """A year up to now, or what is missing since the last time."""
        url = f"sqlite:///{self.folder / 'store.db'}"
        store = open_store(url)
        replay = Replay(city, store, self.folder / "history.db", BASE_WIDTH)
        span = store.span(city.id, "window")
        until = now_ms() - 2 * MINUTE
        since = span[1] + MINUTE if span else until - days * DAY
        label = "history: what is missing" if span else f"history: {days} days"
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
        )
        if until - since > LIVE_MS:
            with Progress(*columns, console=self.console) as bar:
                task = bar.add_task(label, total=1.0)
                for share in history.write(replay, since, until, LIVE_MS):
                    bar.update(task, completed=share)
        self.console.print(
            f"history ready: {replay.summary.stored:,} readings written, {replay.summary.kpis:,} KPI values"
        )
        replay.buffer.close()
        store.close()

    # -- processes ---------------------------------------------------------------------------------------------------

    def start(self, nodes: int) -> None:
        """Start broker, gateway, ingest, API and nodes, and wait until the API answers."""
        broker_port = free_port()
        self._write_config(broker_port)
        self._start_broker(broker_port)
        for name in ("gateway", "ingest", "api", "simulate"):
            self._spawn(
                name, [sys.executable, "-m", "cityvitals", name, "--config", str(self.folder / "cityvitals.toml")]
            )
        self._wait("the API", lambda: _answers(f"http://127.0.0.1:{self.port}/readyz"))
        self._tell(broker_port, nodes)

    def _start_broker(self, port: int) -> None:
        program = mosquitto()
        if program:
            config = self.folder / "mosquitto.conf"
            config.write_text(mosquitto_config(port, self.folder), encoding="utf-8")
            # Started as root, Mosquitto would change to a user that cannot write here.
            text = config.read_text(encoding="utf-8") + (
                "user root\n" if os.name == "posix" and os.geteuid() == 0 else ""
            )
            config.write_text(text, encoding="utf-8")
            self._spawn("broker", [program, "-c", str(config)])
        else:
            self._spawn("broker", [sys.executable, "-m", "cityvitals", "broker", "--port", str(port)])
        self._wait("the broker", lambda: _connects(port))

    def _spawn(self, name: str, command: list[str]) -> None:
        log: IO[bytes] = (self.folder / f"{name}.log").open("ab")
        with log:
            # A session of its own, so that Ctrl-C reaches us only and we end the others in order.
            self.children[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, PARENT: str(os.getpid())},
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - no threads yet
            )

    def _wait(self, what: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise CityVitalsError(f"{what} did not come up in {_PATIENCE:g} s; see the logs in {self.folder}.")
            time.sleep(0.1)

    def check(self) -> None:
        """Raise CityVitalsError when a process has ended by itself."""
        for name, child in self.children.items():
            code = child.poll()
            if code is not None:
                tail = (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
                raise CityVitalsError(f"{name} ended with code {code}; its log says: {' | '.join(tail)}")

    def stop(self) -> None:
        """End everything, nodes first, and wait until it is gone."""
        for name in ("simulate", "gateway", "ingest", "api", "broker"):
            child = self.children.pop(name, None)
            if child is None:
                continue
            if child.poll() is None:
                child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    # -- words -------------------------------------------------------------------------------------------------------

    def _write_config(self, broker_port: int) -> None:
        url = f"mqtt://127.0.0.1:{broker_port}"
        (self.folder / "cityvitals.toml").write_text(
            f"""city_files = ["city.toml"]

[gateway]
id = "demo-gateway"
broker.url = "{url}"
buffer = "{self.folder / "gateway.db"}"

[ingest]
broker.url = "{url}"
rejects = "{self.folder / "ingest-rejects.db"}"

[store]
url = "sqlite:///{self.folder / "store.db"}"

[api]
port = {self.port}

[simulate]
broker.url = "{url}"
interval_s = {LIVE_MS / 1000}
""",
            encoding="utf-8",
        )

    def _tell(self, broker_port: int, nodes: int) -> None:
        kind = "Mosquitto" if mosquitto() else "amqtt, embedded"
        rows = (
            ("live page", self.url),
            ("API", f"{self.url}/v1/cities  (described in {self.url}/openapi.json)"),
            ("broker", f"mqtt://127.0.0.1:{broker_port}  ({kind})"),
            ("nodes", f"{nodes} simulated, each reads every {LIVE_MS // 1000} s"),
            ("data, logs", str(self.folder)),
        )
        for name, what in rows:
            self.console.print(f"  {name:<11} {what}", highlight=False, markup=False, soft_wrap=True)
        self.console.print("Ctrl-C stops everything; the next start goes on with the same data.")


def run(folder: Path, port: int, seconds: float | None, days: int) -> None:
    """Run the demo for `seconds`, or until interrupted."""
    listen("127.0.0.1", port).close()
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    city_file = folder / "city.toml"
    if not city_file.exists():
        shutil.copy(str(files("cityvitals") / "demo_city.toml"), city_file)
    demo = Demo(folder, port, Console())
    with ExitStack() as stack:
        stack.callback(demo.stop)
        for number in (signal.SIGTERM, signal.SIGINT):  # SIGINT too: a shell's background job starts with it ignored
            stack.callback(signal.signal, number, signal.signal(number, _interrupt))
        try:
            city = load_city(city_file)
            demo.write_history(city, days)
            demo.start(len(city.device))
            end = time.monotonic() + seconds if seconds is not None else None
            while end is None or time.monotonic() < end:
                demo.check()
                time.sleep(0.2)
        except KeyboardInterrupt:
            pass
        demo.console.print("stopping ...")
    demo.console.print("stopped; nothing is left running.")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _die_with_parent() -> None:
    """Linux: let the kernel end this child when its parent dies, however that happens."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def free_port() -> int:
    """A free port on loopback."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _connects(port: int) -> bool:
    with socket.socket() as s:
        s.settimeout(0.5)
        return s.connect_ex(("127.0.0.1", port)) == 0


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310 - our own loopback address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
