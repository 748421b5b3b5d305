"""The wheel: built, installed where nothing of the checkout is, and used as a user would."""

from __future__ import annotations

import subprocess
import sysconfig
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

from tests.packages.wheels import of_this_checkout
from tests.processes import end, free_port, start, wait_for

READINGS = """time,device,quantity,value,unit
2025-01-01T00:00:00Z,meter-1,energy_delta,1.5,kWh
2025-01-01T01:00:00Z,meter-1,energy_delta,2.5,kWh
"""
CITY = """[city]
id = "town"
name = "Town"
country = "NO"
timezone = "UTC"

[[device]]
id = "meter-1"
kind = "electricity_meter"
quantities = ["energy_delta"]
interval_s = 3600
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment that has the wheel and, from this one, the libraries it needs."""
    folder = tmp_path_factory.mktemp("wheel")
    wheel = of_this_checkout(tmp_path_factory)
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    [place] = (folder / "venv" / "lib").glob("python*/site-packages")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(place)
        size = sum(entry.file_size for entry in packed.infolist())
    print(f"wheel {wheel.stat().st_size / 1024:.0f} kB, unpacked {size / 1024:.0f} kB")
    # A folder that a .pth file names is searched after the own packages, and its own .pth files are not read:
    # so the checkout, which is installed there for editing, stays out of reach.
    (place / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def run(python: Path, folder: Path, *arguments: str) -> str:
    command = [str(python), "-m", "cityvitals", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_part_comes_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    script = "import cityvitals, registry, api, edge.tools; print(cityvitals.__file__, registry.__file__, api.__file__)"
    shown = subprocess.run([installed, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert all(Path(path).is_relative_to(installed.parents[1]) for path in shown.split())


def test_recorded_readings_are_replayed_and_shown(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "town.toml").write_text(CITY)
    (tmp_path / "readings.csv").write_text(READINGS)
    run(installed, tmp_path, "replay", "readings.csv", "--city", "town.toml", "--store", "sqlite:///town.db")
    query = ["kpi", "show", "--city", "town", "--store", "sqlite:///town.db", "--period", "2025-01-01"]
    shown = run(installed, tmp_path, *query, "--code", "LOCAL:E:METERED", "--format", "csv")
    assert "LOCAL:E:METERED" in shown


def test_the_page_and_the_files_it_needs_are_served(installed: Path, tmp_path: Path) -> None:
    run(installed, tmp_path, "init", "town", "--timezone", "UTC")
    web, broker, log = free_port(), free_port(), tmp_path / "log"
    command = [str(installed), "-m", "cityvitals", "run", "town", "--port", str(web), "--broker-port", str(broker)]
    running = start(command, log=log, cwd=tmp_path)
    wait_for(lambda: "Ctrl-C" in log.read_text(), 60, "the city to run")

    def status(path: str) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{web}{path}", timeout=60) as answer:
            assert answer.read()
            return int(answer.status)

    assert [status(path) for path in ("/", "/v1/catalogue", "/openapi.json")] == [200, 200, 200]
    end(running)


def test_the_dashboards_and_the_firmware_are_in_it(installed: Path, tmp_path: Path) -> None:
    written = run(installed, tmp_path, "grafana", "build", "--out", "dashboards")
    assert len(written.splitlines()) >= 5
    script = "from edge.tools.release import FIRMWARE; print(*sorted(p.name for p in FIRMWARE.iterdir()))"
    shown = subprocess.run([installed, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert {"app.py", "hal", "sensors"} <= set(shown.split())
