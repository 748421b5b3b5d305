"""Real servers for the tests: each in its own folder, on free ports of the loopback interface.

A server can be stopped, killed and started again with the port and the data it had, which is how the tests
show what CityVitals does when one goes away.
"""

from __future__ import annotations

import getpass
import json
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from tests.processes import end, free_port, need, start, wait_for

__all__ = ["InfluxDB", "Mosquitto", "QuietServer", "Server", "VictoriaMetrics", "free_port", "need", "wait_for"]


def fetch(url: str, data: bytes | None = None, timeout: float = 30.0) -> bytes:
    """The body of an HTTP answer; GET, or POST when there is data."""
    request = urllib.request.Request(url, data=data)
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        body: bytes = answer.read()
        return body


class Server:
    """One server process. Use it as a context manager, or call `start` and `stop`."""

    command: str
    package: str

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.host = "127.0.0.1"
        self.port = port or free_port()
        self.log = folder / f"{self.command}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def arguments(self) -> list[str | Path]:
        """The command line after the command; writes the configuration file if there is one."""
        raise NotImplementedError

    def ready(self) -> bool:
        """Whether the server answers."""
        raise NotImplementedError

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """The process id, for measuring."""
        assert self.process is not None, f"{self.command} has not been started"
        return self.process.pid

    def command_line(self) -> list[str | Path]:
        """The program with its arguments."""
        return [need(self.command, self.package), *self.arguments()]

    def start(self) -> None:
        """Start and return once the server answers."""
        assert not self.running, f"{self.command} runs already"
        self.process = start(self.command_line(), log=self.log, cwd=self.folder)
        wait_for(self._ready_or_gone, 30, f"{self.command} to answer on port {self.port}")

    def _ready_or_gone(self) -> bool:
        if not self.running:
            raise AssertionError(f"{self.command} ended at once:\n{self.log.read_text(errors='replace')[-2000:]}")
        try:
            return self.ready()
        except OSError:
            return False

    def stop(self) -> None:
        """End the process in good order."""
        if self.process is not None:
            end(self.process)

    def kill(self) -> None:
        """End the process the way a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def restart(self) -> None:
        """Stop, then start with the same port and the same data."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Mosquitto(Server):
    """An MQTT broker that keeps sessions on disk and limits nothing.

    `extra` is appended to its configuration; `anonymous=False` leaves it to `extra` who may connect.
    """

    command = "mosquitto"
    package = "mosquitto"

    def __init__(self, folder: Path, port: int | None = None, extra: str = "", anonymous: bool = True) -> None:
        super().__init__(folder, port)
        self.extra = extra
        self.anonymous = anonymous

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"mqtt://{self.host}:{self.port}"

    def arguments(self) -> list[str | Path]:
        """Write mosquitto.conf and name it."""
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"user {getpass.getuser()}\n"
            f"listener {self.port} {self.host}\n"
            f"allow_anonymous {str(self.anonymous).lower()}\n"
            "persistence true\n"
            f"persistence_location {self.folder}/\n"
            "autosave_interval 1\n"
            "max_inflight_messages 0\n"
            "max_queued_messages 0\n"
            f"{self.extra}\n"
        )
        return ["-c", config]

    def ready(self) -> bool:
        """The broker answers a CONNECT: a port alone would be open too early."""
        with socket.create_connection((self.host, self.port), timeout=1) as connection:
            connection.sendall(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x05\x00\x00")
            return connection.recv(2)[:1] == b"\x20"


class InfluxDB(Server):
    """InfluxDB 1.x, which answers InfluxQL on /query and takes line protocol on /write."""

    command = "influxd"
    package = "influxdb"

    def __init__(self, folder: Path, port: int | None = None) -> None:
        super().__init__(folder, port)
        self.rpc_port = free_port()

    @property
    def url(self) -> str:
        """The address of its HTTP interface."""
        return f"http://{self.host}:{self.port}"

    def arguments(self) -> list[str | Path]:
        """Write influxdb.conf and name it; nothing is reported to the outside."""
        config = self.folder / "influxdb.conf"
        config.write_text(
            "reporting-disabled = true\n"
            f'bind-address = "{self.host}:{self.rpc_port}"\n'
            f'[meta]\n  dir = "{self.folder}/meta"\n'
            f'[data]\n  dir = "{self.folder}/data"\n  wal-dir = "{self.folder}/wal"\n'
            '  index-version = "tsi1"\n  query-log-enabled = false\n'
            "[monitor]\n  store-enabled = false\n"
            "[subscriber]\n  enabled = false\n"
            "[continuous_queries]\n  enabled = false\n"
            f'[http]\n  bind-address = "{self.host}:{self.port}"\n  log-enabled = false\n'
        )
        return ["-config", config]

    def ready(self) -> bool:
        """Whether /ping answers."""
        fetch(f"{self.url}/ping", timeout=2)
        return True

    def create(self, database: str) -> str:
        """Make an empty database (an older one of that name is dropped) and return its name."""
        self.query(f'DROP DATABASE "{database}"')
        self.query(f'CREATE DATABASE "{database}"')
        return database

    def write(self, database: str, lines: str, precision: str = "ms") -> None:
        """Write line protocol."""
        fetch(f"{self.url}/write?db={database}&precision={precision}", lines.encode())

    def query(self, influxql: str, database: str | None = None, epoch: str = "ms") -> list[dict[str, Any]]:
        """The rows of every series in the answer, tags and columns as one dictionary each."""
        parameters = {"q": influxql, "epoch": epoch} | ({"db": database} if database else {})
        try:
            body = fetch(f"{self.url}/query", urllib.parse.urlencode(parameters).encode())
        except urllib.error.HTTPError as refusal:
            raise AssertionError(f"{refusal.read().decode()} on: {influxql}") from refusal
        rows: list[dict[str, Any]] = []
        for result in json.loads(body)["results"]:
            assert "error" not in result, f"{result['error']} on: {influxql}"
            for series in result.get("series", []):
                tags = series.get("tags", {})
                rows += [tags | dict(zip(series["columns"], row, strict=True)) for row in series.get("values", [])]
        return rows


class VictoriaMetrics(Server):
    """VictoriaMetrics, which takes InfluxDB 2 writes on /api/v2/write."""

    command = "victoria-metrics"
    package = "victoria-metrics"

    @property
    def url(self) -> str:
        """The address of its HTTP interface."""
        return f"http://{self.host}:{self.port}"

    def arguments(self) -> list[str | Path]:
        """Everything is a flag; readings of past years must be kept."""
        return [
            f"-httpListenAddr={self.host}:{self.port}",
            f"-storageDataPath={self.folder}/data",
            "-retentionPeriod=100y",
            "-influx.databaseNames=cityvitals",
        ]

    def ready(self) -> bool:
        """Whether /health answers."""
        return fetch(f"{self.url}/health", timeout=2) == b"OK"

    def export(self, match: str) -> list[dict[str, Any]]:
        """The raw samples of the series that match, e.g. `{__name__="window_mean"}`: metric, values, timestamps."""
        fetch(f"{self.url}/internal/force_flush")
        parameters = urllib.parse.urlencode({"match[]": match})
        body = fetch(f"{self.url}/api/v1/export?{parameters}")
        return [json.loads(line) for line in body.splitlines()]


class QuietServer(ThreadingHTTPServer):
    """An HTTP server that says nothing of clients that end their connection with a reset.

    The traceback would be printed at any time, such as when a connection of an earlier test is collected, and Python
    3.11 parses source to print it: a test that parses source in another thread meanwhile fails with a SystemError.
    """

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report other errors."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
