"""Pages of docs/how-to whose commands need no server: each command runs, in the order of the page."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.sqlite.buffer import Buffer
from telemetry.windows import MINUTE

REPO = Path(__file__).parents[2]
CITIES = """id,name,country,timezone,population,households,group
north,North,NO,Europe/Oslo,12000,5000,coast
south,South,NO,Europe/Oslo,15000,7000,coast
"""
FIGURES = "city,code,part,year,value,numerator,denominator,source,quality\n" + "".join(
    f"{city},EC:ICT:ICT:2C,,{year},{value},,,office,measured\n"
    for city, values in (("north", (50, 52)), ("south", (60, 61)))
    for year, value in zip((2018, 2025), values, strict=True)
)


def page(name: str) -> str:
    return (REPO / "docs" / "how-to" / f"{name}.md").read_text(encoding="utf-8")


def commands(name: str) -> list[str]:
    """The lines of the page's shell blocks that run a command of CityVitals."""
    blocks = re.findall(r"```sh\n(.*?)```", page(name), re.S)
    return [line for block in blocks for line in block.splitlines() if line.startswith("cityvitals ")]


def run(line: str, folder: Path, codes: tuple[int, ...] = (0,)) -> str:
    words = [sys.executable, "-m", *shlex.split(line, comments=True)]
    environment = {**os.environ, "PYTHONPATH": str(REPO), "COLUMNS": "80"}
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode in codes, f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_many_cities_are_imported_and_compared(tmp_path: Path) -> None:
    (tmp_path / "cities.csv").write_text(CITIES)
    (tmp_path / "figures.csv").write_text(FIGURES)
    (tmp_path / "targets.toml").write_text('[[target]]\ncode = "EC:ICT:ICT:2C"\nvalue = 60\n')
    answers = {line.split(" --")[0]: run(line, tmp_path) for line in commands("many-cities")}
    assert answers["cityvitals region import figures.csv"].startswith("4 figures of 2 cities for 2018 to 2025 stored")
    assert "south" in answers["cityvitals region peers north"]
    assert re.search(r"EC:ICT:ICT:2C .* 52 +61 ", answers["cityvitals region twins north south"])
    assert "North" in answers["cityvitals kpi compare"] or "north" in answers["cityvitals kpi compare"]
    assert "52" in answers["cityvitals kpi trend"]


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """The folder of a new city with an empty buffer."""
    run("cityvitals init town --timezone UTC", tmp_path)
    Buffer(tmp_path / "town" / "gateway.db", MINUTE).close()
    return tmp_path / "town"


def test_a_buffer_is_copied_put_back_and_its_windows_are_sent_again(town: Path) -> None:
    copy, back, again = commands("backup")
    assert "checked" in run(copy, town)
    assert "the previous file is now" in run(back, town)
    assert run(again, town)


def test_the_configuration_is_checked_and_what_is_not_running_is_a_finding(town: Path) -> None:
    check, *programs = [line for line in commands("servers") if "--help" not in line]
    assert "valid" in run(check, town)
    assert [line.split()[1] for line in programs] == ["gateway", "ingest", "api"]
    [doctor] = re.findall(r"`(cityvitals doctor [^`]*)`", page("upgrade"))
    assert "broker" in run(doctor, town, codes=(0, 1))
