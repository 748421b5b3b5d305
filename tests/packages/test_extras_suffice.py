"""Each role runs with the libraries of its extra alone: a gateway needs no web framework, a replay no MQTT client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packages.test_wheel import CITY, READINGS
from tests.processes import end, free_port, start, wait_for
from tests.servers import Mosquitto

# Loaded by every Python of a test before anything else; a library outside of the extra is as if not installed.
_SITE = """
import os, sys
class Missing:
    names = frozenset(os.environ["MISSING"].split(","))
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
"""


def with_all_it_needs(extra: str) -> set[str]:
    """Names of the distributions that `pip install cityvitals[extra]` brings, CityVitals included."""
    found: set[tuple[str, str]] = set()
    todo = [("cityvitals", ""), ("cityvitals", extra)]
    while todo:
        name, of = todo.pop()
        if (name, of) in found:
            continue
        found.add((name, of))
        try:
            needed = [Requirement(text) for text in requires(name) or ()]
        except PackageNotFoundError:  # for another platform
            continue
        for requirement in needed:
            if requirement.marker is None or requirement.marker.evaluate({"extra": of}):
                todo += [(canonicalize_name(requirement.name), part) for part in ("", *requirement.extras)]
    return {name for name, _ in found}


@cache  # looks into every file that is installed
def missing_with(extra: str) -> str:
    """The modules that this extra does not bring."""
    there = with_all_it_needs(extra)
    return ",".join(
        module
        for module, brought_by in packages_distributions().items()
        if there.isdisjoint(canonicalize_name(name) for name in brought_by)
    )


def only(extra: str, folder: Path) -> Mapping[str, str]:
    """Variables of an environment that has the libraries of one extra only."""
    (folder / "sitecustomize.py").write_text(_SITE, encoding="utf-8")
    return {"MISSING": missing_with(extra), "PYTHONPATH": str(folder)}


def run(folder: Path, env: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cityvitals", *arguments]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **env}, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A folder with a city file and readings."""
    (tmp_path / "town.toml").write_text(CITY, encoding="utf-8")
    (tmp_path / "readings.csv").write_text(READINGS, encoding="utf-8")
    return tmp_path


def test_the_test_hides_what_is_not_of_the_extra(town: Path) -> None:
    for extra, hidden in (("", "paho"), ("gateway", "fastapi"), ("central", "influxdb_client")):
        env = only(extra, town)
        command = [sys.executable, "-c", f"import {hidden}"]
        there = subprocess.run(command, env={**os.environ, **env}, capture_output=True, check=False)
        assert there.returncode == 1, (extra, hidden)
        assert "numpy" not in env["MISSING"].split(",")


def test_recorded_readings_are_replayed_and_shown_without_any_extra(town: Path) -> None:
    env = only("", town)
    done = run(town, env, "replay", "readings.csv", "--city", "town.toml", "--store", "sqlite:///town.db")
    assert done.returncode == 0, done.stderr
    query = ("kpi", "show", "--city", "town", "--store", "sqlite:///town.db", "--period", "2025-01-01")
    shown = run(town, env, *query, "--code", "LOCAL:E:METERED", "--format", "csv")
    assert shown.returncode == 0, shown.stderr
    assert "LOCAL:E:METERED" in shown.stdout


def configured(town: Path, broker: str, web: int = 0) -> Path:
    """A configuration of everything on one machine, with a gateway that serves all doors."""
    push, ocpp = free_port(), free_port()
    lines = [
        'city_files = ["town.toml"]',
        f"[gateway]\nid = 'gw'\nbuffer = 'gateway.db'\nbroker.url = '{broker}'\nuplink.url = '{broker}'",
        f"[gateway.push]\nport = {push}\n[gateway.ocpp]\nport = {ocpp}\npasswords = {{ 'station-1' = 'its password' }}",
        *(
            f"[[gateway.source]]\nfamily = '{family}'\ncity = 'town'{more}"
            for family, more in (("tasmota", ""), ("sensor_community", "\ntoken = 'a long random text'"), ("ocpp", ""))
        ),
        f"[ingest]\nbroker.url = '{broker}'\nrejects = 'rejects.db'",
        f"[api]\nhost = '127.0.0.1'\nport = {web or free_port()}",
        "[store]\nurl = 'sqlite:///town.db'",
    ]
    path = town / "cityvitals.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def started(town: Path, env: Mapping[str, str], command: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "cityvitals", command, "--config", "cityvitals.toml"]
    return start(words, log=town / f"{command}.log", cwd=town, env=env)


def test_a_gateway_runs_with_all_doors_without_the_web_framework(town: Path, mosquitto: Mosquitto) -> None:
    configured(town, mosquitto.url)
    process, log = started(town, only("gateway", town), "gateway"), town / "gateway.log"
    try:
        wait_for(lambda: log.read_text().count("connected to") > 1 or process.poll() is not None, 60, "both links")
        assert process.poll() is None, log.read_text()
    finally:
        end(process)


def test_a_gateway_without_certificates_loads_nothing_for_them_nor_for_a_page(town: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from cityvitals.process_gateway import machine;"
        f"print(sorted(machine(Path({str(town / 'gateway.db')!r}), [])));"
        "print([name for name in ('cryptography', 'fastapi', 'starlette', 'matplotlib') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown.split("\n")[:2] == ["['gw_disk_free']", "[]"]


@pytest.mark.parametrize("command", ["config", "rejects", "ledger", "doctor"])
def test_a_gateway_is_operated_without_the_web_framework(town: Path, mosquitto: Mosquitto, command: str) -> None:
    configured(town, mosquitto.url)
    words = {"config": ["config", "check"], "rejects": ["rejects", "list"], "ledger": ["ledger"], "doctor": ["doctor"]}
    done = run(town, only("gateway", town), *words[command], "--config", "cityvitals.toml")
    assert "Traceback" not in done.stderr, done.stderr
    assert "not installed" not in done.stdout + done.stderr, done.stdout + done.stderr


def test_a_server_runs_with_its_own_extra(town: Path, mosquitto: Mosquitto) -> None:
    web = free_port()
    configured(town, mosquitto.url, web)
    env = only("central", town)
    ingest, api = started(town, env, "ingest"), started(town, env, "api")
    try:

        def answers() -> bool:
            assert ingest.poll() is None, (town / "ingest.log").read_text()
            assert api.poll() is None, (town / "api.log").read_text()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{web}/v1/cities", timeout=5) as answer:
                    return [c["id"] for c in json.load(answer)] == ["town"]
            except OSError:
                return False

        wait_for(answers, 60, "the city over the API")
    finally:
        end(ingest)
        end(api)


def test_the_core_of_the_gateway_does_not_load_the_library_of_the_configuration() -> None:
    """It is given as values what is configured; 14 MB less where it runs without a configuration."""
    script = "import sys, gateway.core, gateway.service; print('pydantic' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown == "False\n"
