"""Pages of docs/how-to (and docs/explanation/numbers.md) whose commands run one after the other, in their order."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.sqlite.buffer import Buffer
from telemetry.windows import MINUTE
from tests.docs.pages import run
from tests.processes import end, free_port, start, wait_for
from tests.servers import Mosquitto, fetch

REPO = Path(__file__).parents[2]


def page(name: str) -> str:
    return (REPO / "docs" / "how-to" / f"{name}.md").read_text(encoding="utf-8")


def commands(name: str) -> list[str]:
    """The lines of the page's shell blocks that run a command of CityVitals."""
    blocks = re.findall(r"```sh\n(.*?)```", page(name), re.S)
    return [line for block in blocks for line in block.splitlines() if line.startswith("cityvitals ")]


def test_many_cities_are_imported_and_compared(tmp_path: Path) -> None:
    figures, cities = re.findall(r"```csv\n(.*?)```", page("many-cities"), re.S)
    (tmp_path / "cities.csv").write_text(cities)
    (tmp_path / "figures.csv").write_text(figures)
    (tmp_path / "targets.toml").write_text(re.findall(r"```toml\n(.*?)```", page("many-cities"), re.S)[-1])
    answers = {line.split(" --")[0]: run(line, tmp_path).lstrip() for line in commands("many-cities")}
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
    [doctor] = re.findall(r"`(cityvitals doctor [^`]*)`", page("upgrade"))
    assert "broker" in run(doctor, town, codes=(0, 1))


def test_the_three_programs_of_a_server_run(town: Path, mosquitto: Mosquitto) -> None:
    check, *programs = commands("servers")
    assert "valid" in run(check, town)
    port = free_port()
    places = {
        "CITYVITALS__GATEWAY__BROKER__URL": mosquitto.url, "CITYVITALS__GATEWAY__UPLINK__URL": mosquitto.url,
        "CITYVITALS__INGEST__BROKER__URL": mosquitto.url, "CITYVITALS__API__PORT": str(port),
    }  # fmt: skip
    running = {line.split()[1]: begun(line, town, places) for line in programs}
    assert list(running) == ["gateway", "ingest", "api"]

    def log(name: str) -> str:
        return (town / f"{name}.log").read_text()

    try:
        wait_for(lambda: log("gateway").count("connected to") > 1, 60, "both links of the gateway")
        wait_for(lambda: "connected to" in log("ingest"), 60, "the link of ingest")
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/healthz"), 60, "the API")
    finally:
        codes = [end(process) for process in running.values()]
    assert codes == [0, 0, 0]


def begun(line: str, folder: Path, places: dict[str, str]) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", *shlex.split(line)]
    log = folder / f"{shlex.split(line)[1]}.log"
    return start(words, log=log, cwd=folder, env={"PYTHONPATH": str(REPO), **places})


def answers(address: str) -> bool:
    try:
        return bool(fetch(address, timeout=5))
    except OSError:
        return False


def test_a_family_of_ones_own_is_checked(town: Path) -> None:
    config = town / "cityvitals.toml"
    block = re.findall(r"```toml\n(.*?)```", page("own-family"), re.S)[0]
    config.write_text(f"{config.read_text()}\n{block}")
    [check] = commands("own-family")
    assert "valid" in run(check, town)
    config.write_text(config.read_text().replace("decimal_comma", "decimal_coma"))
    assert "decimal_comma" in run(check, town, codes=(2,))


def test_the_proof_of_a_value_is_shown(tmp_path: Path) -> None:
    run("cityvitals init my-town --timezone UTC", tmp_path)
    hours = [f"2025-11-{day:02}T{hour:02}:00:00Z,aq-1,pm2_5,8.5,ug/m3" for day in range(1, 31) for hour in range(24)]
    (tmp_path / "readings.csv").write_text("\n".join(["time,device,quantity,value,unit", *hours]))
    run("cityvitals replay readings.csv --city my-town/city.toml --store sqlite:///my-town/store.db", tmp_path)
    text = (REPO / "docs" / "explanation" / "numbers.md").read_text(encoding="utf-8")
    [line] = re.findall(r"^cityvitals kpi explain .*", text, re.M)
    assert re.search(r"aq-1.*8\.5", run(line, tmp_path), re.S)
