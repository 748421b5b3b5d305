"""What `cityvitals enrol device --node` writes is all a board needs: a real node connects with it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.mqtt.broker import Broker
from cityvitals.cli.main import app
from edge.tools import drivers, enrol, node_config, node_enrol, node_kinds, quantities
from telemetry.errors import UsageError
from tests.access.test_certificates import tls_broker
from tests.firmware.interpreters import REPO
from tests.firmware.node import Node
from tests.processes import wait_for
from tests.shipped_brokers import make_users

NOW = enrol.utc_now()


@pytest.fixture
def pki(tmp_path: Path) -> Path:
    enrol.make_authorities(tmp_path / "pki", "aberdeen", NOW)
    return tmp_path / "pki"


def command(pki: Path, *words: str) -> Any:
    return CliRunner().invoke(app, ["enrol", "device", "aq-001", "--pki", str(pki), *words])


@pytest.mark.parametrize("kind", node_kinds.KINDS)
def test_the_folder_of_every_kind_passes_the_checks_of_the_firmware(pki: Path, kind: str) -> None:
    done = command(pki, "--node", kind, "--broker", "mqtts://gateway.local", "--wifi", "sensors")
    assert done.exit_code == 0, done.output
    config = node_config.check_folder(pki / "nodes/aq-001")
    assert [s["driver"] for s in config["sensors"]] == list(node_kinds.first_choice(kind))
    assert config["city"] == "aberdeen"
    assert node_enrol.node_key(pki, "aq-001").key.hex() == config["ota_key"]


def test_private_files_are_the_owners_alone(pki: Path) -> None:
    command(pki, "--node", "air", "--broker", "mqtts://gateway.local", "--wifi", "sensors")
    board = pki / "nodes/aq-001"
    private = [board / "node.json", board / "device.key.der", pki / "issued/aq-001.ota.json"]
    assert {oct(path.stat().st_mode & 0o777) for path in private} == {"0o600"}
    assert oct(board.stat().st_mode & 0o777) == "0o700"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--node", "airr", "--broker", "mqtts://h"], "did you mean 'air'"),
        (["--node", "air"], "--broker mqtts://"),
        (["--node", "air", "--broker", "http://h"], "is not a valid broker URL"),
        (["--node", "air", "--broker", "mqtts://h", "--driver", "pms50"], "did you mean 'pms5003'"),
        (["--node", "air", "--broker", "mqtts://h", "--driver", "pms5003,rxx=3"], "did you mean 'rx'"),
        (
            ["--node", "air", "--broker", "mqtts://h", "--driver", "sds011,port=1", "--driver", "pms5003,port=1"],
            "both on",
        ),
        (["--node", "air", "--broker", "mqtts://h", "--interval-s", "0"], "interval_s: not in 1..86400"),
    ],
)
def test_a_wrong_call_says_what_to_write_and_uses_up_no_id(pki: Path, words: list[str], says: str) -> None:
    error = command(pki, *words).exception
    assert isinstance(error, UsageError)
    assert says in str(error)
    assert not (pki / "issued/aq-001.crt").exists()


def test_a_revoked_node_is_not_among_those_to_update(pki: Path) -> None:
    broker = Broker.parse("mqtts://gateway.local")
    for name in ("aq-1", "aq-2"):
        node_enrol.enrol_node(pki, name, "air", broker, NOW)
    enrol.revoke(pki, "aq-1", NOW)
    assert [key.device for key in node_enrol.node_keys(pki, [], "air")] == ["aq-2"]
    with pytest.raises(UsageError, match="no key for updates of 'aq-1'"):
        node_enrol.node_keys(pki, ["aq-1"])
    with pytest.raises(UsageError, match="no node of kind 'ev'; enrolled are: air"):
        node_enrol.node_keys(pki, [], "ev")
    node_enrol.enrol_node(pki, "aq-1", "energy", broker, NOW)
    assert [key.device for key in node_enrol.node_keys(pki, [], "energy")] == ["aq-1"]


def test_of_a_revoked_node_nothing_is_left_where_it_would_be_flashed_from(pki: Path) -> None:
    words = ["--pki", str(pki)]
    command(pki, "--node", "air", "--broker", "mqtts://gateway.local", "--wifi", "sensors")
    done = CliRunner().invoke(app, ["enrol", "revoke", "aq-001", *words])
    assert done.exit_code == 0, done.exception
    (aside,) = (pki / "nodes").iterdir()
    assert re.fullmatch(r"revoked-[0-9a-f]{1,12}-aq-001", aside.name)
    assert f"with the Wi-Fi password, are now in {aside}" in done.output
    assert oct(aside.stat().st_mode & 0o777) == "0o700"
    assert all(path.name.startswith("revoked-") for path in (pki / "issued").iterdir())
    enrol.enrol(pki, "device", "meter", NOW)
    assert "Wi-Fi" not in CliRunner().invoke(app, ["enrol", "revoke", "meter", *words]).output


def test_revoking_that_was_cut_short_is_done_again(pki: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command(pki, "--node", "air", "--broker", "mqtts://gateway.local")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(OSError("cut")))
        with pytest.raises(OSError, match="cut"):
            enrol.revoke(pki, "aq-001", NOW)
    revoked = enrol.revoke(pki, "aq-001", NOW)
    assert revoked.board
    assert len(list(enrol._list(pki, "devices"))) == 1


def test_a_password_file_that_is_no_text_is_a_sentence(pki: Path, tmp_path: Path) -> None:
    (tmp_path / "wifi").write_bytes(b"\xff\xfep\x00")
    words = ["--broker", "mqtts://h", "--wifi", "net", "--wifi-password-file", str(tmp_path / "wifi")]
    error = command(pki, "--node", "air", *words).exception
    assert isinstance(error, UsageError)
    assert "The Wi-Fi password cannot be read" in str(error)


def test_a_node_connects_with_what_its_enrolment_wrote(pki: Path, tmp_path: Path) -> None:
    """Mutual TLS, the shipped access rules, and the broker's certificate from the other authority."""
    make_users(tmp_path)
    enrol.enrol(pki, "broker", "edge", NOW, hosts=["localhost", "127.0.0.1"])
    with tls_broker(tmp_path / "edge", pki, "edge") as (broker, port), Node(tmp_path / "node") as node:
        done = command(pki, "--node", "air", "--broker", f"mqtts://localhost:{port}", "--interval-s", "1")
        assert done.exit_code == 0, done.output
        shutil.copytree(pki / "nodes/aq-001", node.workdir, dirs_exist_ok=True)
        node.air()
        node.boot()
        log = broker.folder / "mosquitto.log"
        wait_for(lambda: "u'aq-001'" in log.read_text(), 20, "the node at the broker")


def test_the_table_of_drivers_is_that_of_the_firmware() -> None:
    """Same names; every option a driver reads by name is known, and those without a default are needed."""
    for path in sorted((REPO / "edge/firmware/sensors").glob("[!_]*.py")):
        known, text = drivers.driver(path.stem), path.read_text()
        assert set(re.findall(r'options\.get\("(\w+)"', text)) <= known.known, path.stem
        assert set(re.findall(r'options\["(\w+)"\]', text)) <= known.required | set(known.options), path.stem


def test_the_table_of_quantities_of_the_firmware_is_current() -> None:
    """Made from the catalogue and the drivers: run `python -m edge.tools.quantities`."""
    text = quantities.FILE.read_text()
    assert quantities.generated(text) == text


def test_a_setting_is_changed_by_its_path() -> None:
    config = {"mqtt": {"host": "a"}, "wifi": {"password": "x"}}
    done = node_config.changed(config, ["mqtt.port=8883", "wifi.password=12345678", "interval_s=30"])
    assert done == {"mqtt": {"host": "a", "port": 8883}, "wifi": {"password": "12345678"}, "interval_s": 30}
    assert config["mqtt"] == {"host": "a"}
    assert "12345678" not in node_config.shown(done)
    assert json.loads(node_config.shown(done))["mqtt"]["port"] == 8883
    with pytest.raises(UsageError, match="write key=value"):
        node_config.changed(config, ["interval_s"])


def test_the_table_of_drivers_on_its_page_is_current() -> None:
    """Made from what the drivers declare: run `python -m edge.tools.drivers`."""
    text = drivers.PAGE.read_text(encoding="utf-8")
    assert drivers.with_table(text) == text
