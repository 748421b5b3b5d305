"""A gateway process and an ingest process between a broker and a store, for tests of the whole chain."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processes import end, start, wait_for


class Chain:
    """What runs: `gateway` and `ingest` processes, and where their logs are."""

    def __init__(self, folder: Path, city: Path, port: int, store: str, hub: int | None = None) -> None:
        self.folder, self.store = folder, store
        self.config = folder / "cityvitals.toml"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        edge, central = f"mqtt://127.0.0.1:{port}", f"mqtt://127.0.0.1:{hub or port}"
        self.config.write_text(
            f"city_files = [{json.dumps(str(city))}]\n"
            f'[gateway]\nid = "gw"\nbuffer = {json.dumps(str(folder / "gateway.db"))}\n'
            f'broker.url = "{edge}"\nuplink.url = "{central}"\n'
            f'[ingest]\nbroker.url = "{central}"\nrejects = {json.dumps(str(folder / "rejects.db"))}\n'
            f"[store]\nurl = {json.dumps(store)}\n",
            encoding="utf-8",
        )

    def run(self, name: str) -> subprocess.Popen[bytes]:
        """Start `gateway`, `ingest`, `api` or another command with the chain's configuration."""
        command = [sys.executable, "-m", "cityvitals", name, "--config", str(self.config)]
        self.processes[name] = start(command, log=self.folder / f"{name}.log")
        return self.processes[name]

    def log(self, name: str) -> str:
        """What a process has said."""
        return (self.folder / f"{name}.log").read_text(encoding="utf-8")

    def stop(self) -> dict[str, int]:
        """End everything that runs; exit codes by name."""
        codes = {name: end(process) for name, process in self.processes.items()}
        self.processes.clear()
        return codes


@contextmanager
def chain(folder: Path, city: Path, port: int, store: str, hub: int | None = None) -> Iterator[Chain]:
    """Gateway and ingest, running; ended when the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Chain(folder, city, port, store, hub)
    try:
        made.run("gateway")
        made.run("ingest")
        # A broker keeps nothing for a gateway that it has never seen. Ingest may wait for its store.
        wait_for(lambda: made.log("gateway").count("connected to") > 1, 60, "both links of the gateway")
        yield made
    finally:
        made.stop()
