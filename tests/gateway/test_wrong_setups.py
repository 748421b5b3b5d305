"""What a user reads who configured a source wrongly: `config check` says it, exit code 2, and so does the gateway."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from telemetry.errors import UsageError
from tests.gateway.doors.door_bench import closed_port
from tests.processes import end, start, wait_for
from tests.replay import cli

CITY = '[city]\nid = "town"\nname = "Town"\ncountry = "DE"\ntimezone = "Europe/Berlin"\n'
POWER = {"quantity": "power", "unit": "W"}
OWN = {"topic": "m/{device}", "format": "json"}


def configured(folder: Path, *sources: dict[str, Any], **gateway: Any) -> Path:
    """A configuration file with these sources."""
    (folder / "town.toml").write_text(CITY)
    path = folder / "cityvitals.toml"
    broker = {"url": f"mqtt://127.0.0.1:{closed_port()}"}
    made = {"buffer": str(folder / "gateway.db"), "broker": broker, **gateway, "source": list(sources)}
    path.write_text(tomlkit.dumps({"city_files": ["town.toml"], "gateway": made}))
    return path


@pytest.mark.parametrize(
    ("source", "gateway", "said"),
    [
        ({"family": "tasmoda"}, {}, "There is no device family 'tasmoda'; did you mean 'tasmota'?"),
        ({"family": "tasmota", "city": "towm"}, {}, "no city file has the id 'towm'; did you mean 'town'?"),
        ({"family": "tasmota", "devises": {}}, {}, r"cityvitals.toml, line \d+: unknown key 'devises'; did you mean"),
        (
            {"family": "tasmota", "values": {"E.P": {**POWER, "unti": "W"}}},
            {},
            r"cityvitals.toml, line \d+: unknown key 'unti'; did you mean 'unit'?",
        ),
        ({**OWN, "values": {"meter..power": POWER}}, {}, "'meter..power' is not a JMESPath"),
        ({**OWN, "values": {"p": {**POWER, "unit": "Watts/s"}}}, {}, "unknown unit 'Watts/s'"),
        ({"family": "chirpstack", "options": {"codec": "/no/codec.js"}}, {}, "The codec /no/codec.js cannot be read"),
        ({"family": "sdm120"}, {}, 'is on a wire: add `port = "/dev/ttyUSB0"`'),
        ({"family": "files"}, {}, 'add `folder = "/srv/drop"`'),
        ({"family": "sensor_community"}, {}, r"A source is pushed by HTTP; set `port` in \[gateway.push\]"),
        (
            {"family": "sensor_community"},
            {"push": {"host": "0.0.0.0", "port": 8090}},
            "could push to push/sensor_community/{device}: give its source a `token`",
        ),
        (
            {"family": "ocpp"},
            {"ocpp": {"host": "0.0.0.0", "port": 9000}},
            r"Any station that reaches 0.0.0.0 could connect: list \[gateway.ocpp.passwords\]",
        ),
    ],
)
def test_config_check_says_it(tmp_path: Path, source: dict[str, Any], gateway: dict[str, Any], said: str) -> None:
    path = configured(tmp_path, source, **gateway)
    with pytest.raises(UsageError, match=said):
        cli.here("config", "check", "--config", path)


def test_it_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    path = configured(tmp_path, {"family": "tasmoda"})
    for command in (["config", "check"], ["gateway"]):
        said = cli.run(*command, "--config", path, fails=2)
        assert said.strip() == "cityvitals: There is no device family 'tasmoda'; did you mean 'tasmota'?"


@pytest.mark.parametrize(
    ("door", "said"),
    [
        ("push", "HTTP push cannot listen on 127.0.0.1:{port}: is the port taken? Set `port` in [gateway.push]."),
        ("ocpp", "OCPP cannot listen on 127.0.0.1:{port}: "),
    ],
)
def test_a_port_that_is_taken(tmp_path: Path, door: str, said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = configured(
            tmp_path, {"family": "sensor_community" if door == "push" else "ocpp"}, **{door: {"port": port}}
        )
        text = cli.run("gateway", "--config", path, fails=2)
    assert said.format(port=port) in text
    assert "Traceback" not in text
    assert len([line for line in text.splitlines() if line and "gateway gateway-1:" not in line]) == 1, text


def test_a_serial_device_that_is_gone_and_a_folder_that_is_there_run_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    wire = {"family": "pms5003", "port": str(tmp_path / "ttyUSB7")}
    path = configured(tmp_path, wire, {"family": "files", "folder": str(tmp_path / "drop")})
    (tmp_path / "drop" / "export.csv").write_text(
        "time,device,quantity,value,unit\n2026-01-01T00:00:00Z,m1,energy_total,5,kWh\n"
    )
    process = start(cli.command("gateway", "--config", path), log=tmp_path / "gateway.log")
    try:
        wait_for((tmp_path / "drop" / "done" / "export.csv").exists, 60, "the file to be stored")
        wait_for(lambda: "ttyUSB7" in (tmp_path / "gateway.log").read_text(), 60, "the sentence about the line")
    finally:
        end(process)
    said = (tmp_path / "gateway.log").read_text()
    assert "retrying until it is back" in said
    assert "Traceback" not in said


def test_what_config_check_prints_where_all_is_right(tmp_path: Path) -> None:
    path = configured(tmp_path, {"family": "tasmota"}, {"family": "sdm120", "port": "tcp://127.0.0.1:502"})
    assert cli.here("config", "check", "--config", path).splitlines() == [
        "The configuration is valid.",
        "  town: 0 devices",
    ]
