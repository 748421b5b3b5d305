"""Each program of a running city is stopped in turn: `doctor`, /readyz and the banner name it, until it is back."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.chain import Chain
from tests.processes import end, free_port, wait_for
from tests.servers import Mosquitto

LIMIT_S = 6  # four heartbeats arrive within a limit
CITY = """
[city]
id = "town"
name = "Town"
country = "DE"
timezone = "Europe/Berlin"

[[device]]
id = "aq-1"
kind = "air_lowcost"
quantities = ["pm2_5"]
interval_s = 5
"""


@pytest.fixture
def town(mosquitto: Mosquitto, tmp_path: Path) -> Iterator[tuple[Chain, str]]:
    """A simulated city with gateway, ingest and API, running, with short limits; and the address of the API."""
    (tmp_path / "town.toml").write_text(CITY)
    chain, port = Chain(tmp_path, tmp_path / "town.toml", mosquitto.port, f"sqlite:///{tmp_path}/town.db"), free_port()
    limits = f"[health]\ningest_s = {LIMIT_S}\ngateway_s = {LIMIT_S}\n"
    with chain.config.open("a") as file:
        file.write(
            f'[api]\nport = {port}\n{limits}[simulate]\ninterval_s = 3\nbroker.url = "mqtt://127.0.0.1:{mosquitto.port}"\n'
        )
    try:
        for name in ("gateway", "ingest", "api", "simulate"):
            chain.run(name)
        yield chain, f"http://127.0.0.1:{port}"
    finally:
        chain.stop()


def doctor(chain: Chain) -> tuple[int, str]:
    """Exit code, and the lines that say what is bad."""
    command = [sys.executable, "-m", "cityvitals", "doctor", "--config", str(chain.config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "300"})
    return done.returncode, "\n".join(line for line in done.stdout.splitlines() if "bad" in line)


def ready(url: str) -> tuple[int, str]:
    try:
        answer = httpx.get(f"{url}/readyz")
    except httpx.HTTPError:
        return 0, ""
    return answer.status_code, answer.json().get("detail", "")


def reported(url: str, name: str) -> bool:
    """Whether /readyz names this program."""
    return f"{name} " in ready(url)[1]


def banner(url: str) -> str | None:
    """The part that the page's banner names as silent."""
    silence = httpx.get(f"{url}/v1/cities/town").json()["silence"]
    return silence and str(silence["stage"])


def heard(url: str) -> set[str]:
    """The roles that were ever heard."""
    try:
        lines = httpx.get(f"{url}/metrics").text.splitlines()
    except httpx.HTTPError:
        return set()
    beats = [line for line in lines if line.startswith("cityvitals_heartbeat_timestamp_seconds{")]
    return {line.split('role="')[1].split('"')[0] for line in beats}


def test_a_program_that_stops_is_named_and_its_return_is_seen(town: tuple[Chain, str]) -> None:
    chain, url = town
    wait_for(lambda: heard(url) == {"ingest", "gateway", "kpi"}, 90, "every program to be heard")
    wait_for(lambda: ready(url)[0] == 200 and doctor(chain)[0] == 0, 90, "all to be well")
    for name in ("gateway", "ingest"):
        end(chain.processes[name])
        wait_for(partial(reported, url, name), 90, f"/readyz to miss {name}")
        assert ready(url)[0] == 503
        code, bad = doctor(chain)
        assert code == 1
        assert f"{name} " in bad
        assert "running?" in bad or "is it running" in bad
        assert banner(url) == name
        chain.run(name)
        wait_for(lambda: ready(url)[0] == 200 and doctor(chain)[0] == 0, 90, f"{name} to be back")
        assert banner(url) is None
