"""`cityvitals doctor` finds what would lose readings."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.mqtt.link import Link
from adapters.sqlite.buffer import Buffer
from adapters.sqlite.store import SqliteStore
from cityvitals.operation import doctor
from cityvitals.operation.doctor_files import shown_certificates
from edge.tools import enrol
from gateway.core import Core, Incoming, Source
from registry.settings import BrokerSettings, GatewaySettings, IngestSettings, Settings, StoreSettings
from telemetry.windows import MINUTE
from tests.processes import free_port
from tests.servers import Mosquitto
from tests.shipped_brokers import DEPLOY


@contextmanager
def time_server(ahead: float, family: socket.AddressFamily = socket.AF_INET) -> Iterator[str]:
    """An SNTP server on loopback whose clock is ahead of ours."""
    with socket.socket(family, socket.SOCK_DGRAM) as link:
        link.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))

        def answer() -> None:
            _, asker = link.recvfrom(64)
            now = time.time() + ahead + 2_208_988_800
            stamp = struct.pack("!II", int(now), int(now % 1 * 2**32))
            link.sendto(b"\x24" + bytes(31) + stamp + stamp, asker)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        host, port, *_ = link.getsockname()
        yield f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        thread.join(5)


def settings(folder: Path, port: int) -> Settings:
    place = BrokerSettings(url=f"mqtt://127.0.0.1:{port}")
    return Settings(
        gateway=GatewaySettings(broker=place, buffer=folder / "gateway.db"),
        ingest=IngestSettings(broker=place),
        store=StoreSettings(url=f"sqlite:///{folder}/store.db"),
    )


def test_a_sound_installation_has_nothing_bad(mosquitto: Mosquitto, tmp_path: Path) -> None:
    Buffer(tmp_path / "gateway.db", MINUTE).close()
    SqliteStore(tmp_path / "store.db").close()
    enrol.make_authorities(tmp_path / "pki", "aba", enrol.utc_now())
    configs = [DEPLOY / "mosquitto" / f"{name}.conf" for name in ("edge", "hub")]
    with time_server(0.0) as server:
        found = list(doctor.examine(settings(tmp_path, mosquitto.port), tmp_path / "pki", configs, server))
    assert [f for f in found if f.verdict not in ("ok", "unknown") and not f.what.startswith("disk")] == []
    assert [(f.what, f.advice) for f in found if f.verdict == "unknown"] == [
        ("ingest", "no ingest has written to this store in the last seven days"),
        ("gateway gateway-1 on this machine", "has not run with this buffer yet"),
    ]
    assert len(found) == 13


def test_looking_makes_nothing(mosquitto: Mosquitto, tmp_path: Path) -> None:
    found = list(doctor.examine(settings(tmp_path, mosquitto.port), None, [], None))
    assert {f.verdict for f in found} <= {"ok", "unknown", "warning"}
    assert list(tmp_path.iterdir()) == []


def test_a_machine_that_runs_the_gateway_only_is_asked_for_nothing_else(mosquitto: Mosquitto, tmp_path: Path) -> None:
    of_gateway = settings(tmp_path, mosquitto.port).gateway
    found = list(doctor.examine(Settings(gateway=of_gateway), None, [], None))
    assert {f.what.split()[0] for f in found} == {"edge", "clock", "disk", "buffer"}
    assert not [f for f in found if f.verdict == "bad"]


def test_where_only_files_are_asked_for_no_broker_is(tmp_path: Path) -> None:
    enrol.make_authorities(tmp_path, "aba", enrol.utc_now())
    assert [f.verdict for f in doctor.examine(Settings(), tmp_path, [DEPLOY / "mosquitto" / "hub.conf"], None)] == [
        "ok"
    ] * 3
    assert {f.what.split()[0] for f in doctor.examine(Settings(), None, [], None)} > {"edge", "store", "clock"}


def test_each_user_of_a_broker_is_tried(server: Any, tmp_path: Path) -> None:
    broker = server(Mosquitto, anonymous=False)
    one = BrokerSettings(url=broker.url)
    both = GatewaySettings(
        broker=one, uplink=one.model_copy(update={"username": "gateway-1"}), buffer=tmp_path / "g.db"
    )
    found = [f for f in doctor.examine(Settings(gateway=both), None, [], None) if "Check user" in f.advice]
    assert [f.what.split()[0] for f in found] == ["edge", "hub"]


def test_a_connection_that_the_broker_rejects_is_tried_once(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    links: list[Link] = []

    class Kept(Link):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            links.append(self)

    monkeypatch.setattr(doctor, "Link", Kept)
    found = doctor.reachable("edge broker", BrokerSettings(url=server(Mosquitto, anonymous=False).url))
    assert ("Check user" in found.advice, [link.epoch for link in links]) == (True, [1])


def test_a_file_that_is_not_there_is_named_with_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    [store] = doctor.store(Settings.model_validate({"store": {"url": "sqlite:///city.db"}}))
    [buffer] = doctor.buffer(Path("gateway.db"))
    assert f"there is no {tmp_path / 'city.db'}" in store.advice
    assert f"there is no {tmp_path / 'gateway.db'}" in buffer.advice


def test_a_broker_and_a_store_that_do_not_answer_are_named(tmp_path: Path) -> None:
    nowhere = settings(tmp_path, free_port())
    away = doctor.reachable("edge broker", nowhere.gateway.broker)
    assert (away.verdict, "cannot be reached" in away.advice) == ("bad", True)
    assert "Errno" not in away.advice
    [found] = doctor.store(Settings.model_validate({"store": {"url": f"influxdb://127.0.0.1:{free_port()}/x"}}))
    assert found.verdict == "bad"


@pytest.mark.parametrize(("ahead", "verdict"), [(0.0, "ok"), (5.0, "warning"), (-300.0, "bad")])
def test_a_clock_that_is_wrong_is_found(ahead: float, verdict: str) -> None:
    with time_server(ahead) as server:
        assert doctor.clock(server).verdict == verdict


def test_a_time_server_may_have_an_address_of_ipv6() -> None:
    try:
        with time_server(5.0, socket.AF_INET6) as server:
            assert doctor.clock(server).verdict == "warning"
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")


def test_the_shipped_broker_settings_are_safe_and_the_defaults_are_not(tmp_path: Path) -> None:
    for name in ("edge", "hub"):
        assert [f.verdict for f in doctor.broker_settings(DEPLOY / "mosquitto" / f"{name}.conf")] == ["ok"]
    path = tmp_path / "mosquitto.conf"
    path.write_text("listener 1883\nallow_anonymous true\nmax_queued_messages 1000\n")
    found = {f.what.rpartition(": ")[2].split()[0] for f in doctor.broker_settings(path)}
    assert found == {
        "persistence", "max_queued_messages", "max_inflight_messages", "allow_anonymous", "no", "autosave_interval",
    }  # fmt: skip


def test_settings_in_the_folder_a_broker_includes_count(tmp_path: Path) -> None:
    safe = (DEPLOY / "mosquitto" / "edge.conf").read_text()
    folder = tmp_path / "conf.d"
    folder.mkdir()
    (tmp_path / "mosquitto.conf").write_text(f"persistence true\ninclude_dir {folder}\n")
    (folder / "cityvitals.conf").write_text(safe)
    assert [f.verdict for f in doctor.broker_settings(tmp_path / "mosquitto.conf")] == ["ok"]
    (folder / "other.conf").write_text(
        "allow_anonymous true\nmax_queued_bytes 5\nmessage_size_limit 9\npersistent_client_expiration 1d\n"
    )
    found = [f.what.rpartition(": ")[2] for f in doctor.broker_settings(tmp_path / "mosquitto.conf")]
    assert found == [
        "allow_anonymous true", "max_queued_bytes 5", "message_size_limit 9", "persistent_client_expiration 1d",
    ]  # fmt: skip


def test_plain_mqtt_beyond_this_machine_is_a_warning() -> None:
    assert not list(doctor.transport("hub", BrokerSettings(url="mqtt://127.0.0.1")))
    assert not list(doctor.transport("hub", BrokerSettings(url="mqtts://hub.example")))
    [finding] = doctor.transport("hub", BrokerSettings(url="mqtt://hub.example"))
    assert finding.verdict == "warning"


def test_holes_in_the_ledger_and_files_set_aside_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    core = Core(Buffer(path, MINUTE), [Source("cv/1/{city}/{device}/data", "senml")])
    for seq in (0, 1, 5):
        body = f'[{{"n":"no2","v":1,"bt":1700000000,"boot":1,"seq":{seq}}}]'.encode()
        core.accept([Incoming("cv/1/aba/s1/data", body)], 1_700_000_000_000)
    core.buffer.close()
    (tmp_path / "gateway.db.damaged-x").touch()
    found = [f"{f.verdict} {f.what}: {f.advice}" for f in doctor.buffer(path)]
    assert any("s1: 3 of 6 records are missing" in line for line in found)
    assert any("damaged-x: not recovered" in line for line in found)
    assert any("h old" in line and line.startswith("warning") for line in found)


def test_certificates_that_end_soon_are_a_warning_and_ended_ones_bad(tmp_path: Path) -> None:
    now = enrol.utc_now()
    enrol.make_authorities(tmp_path, "aba", now)
    enrol.enrol(tmp_path, "device", "soon", now, days=5)
    enrol.enrol(tmp_path, "device", "over", now - 3 * enrol._YEAR, days=5)
    found = {f.what.rpartition("/")[2]: f.verdict for f in doctor.certificates(tmp_path)}
    assert found == {"over.crt": "bad", "soon.crt": "warning"}


def test_a_list_of_revoked_certificates_that_ends_is_found(tmp_path: Path) -> None:
    enrol.make_authorities(tmp_path, "aba", enrol.utc_now() - 10 * enrol._YEAR)
    found = [f"{f.verdict} {f.what.rpartition('/')[2]}: {f.advice}" for f in doctor.certificates(tmp_path)]
    assert [line.partition(" on ")[0] for line in found] == [
        "bad devices-crl.pem: expired",
        "bad infrastructure-crl.pem: expired",
    ]
    assert all("enrol ca" in line for line in found)


def test_a_certificate_that_a_connection_shows_is_looked_at_without_the_folder_it_came_from(tmp_path: Path) -> None:
    enrol.make_authorities(tmp_path, "aba", enrol.utc_now())
    files = enrol.enrol(tmp_path, "gateway", "gateway-1", enrol.utc_now(), days=5)
    place = BrokerSettings(url="mqtts://127.0.0.1:1", ca=tmp_path / "infrastructure-ca.crt", cert=files.certificate)
    [finding] = shown_certificates({"hub": place})
    assert (finding.verdict, finding.what) == ("warning", str(files.certificate))


def test_a_buffer_that_cannot_be_read_is_a_finding_and_not_the_end(tmp_path: Path) -> None:
    (tmp_path / "gateway.db").write_text("no database" * 1000)
    [finding] = doctor.buffer(tmp_path / "gateway.db")
    assert finding.verdict == "bad"


@pytest.mark.parametrize(("key", "verdicts"), [(None, ["warning"]), ("word", [])])
def test_chargers_without_a_key_for_their_users_are_found(key: str | None, verdicts: list[str]) -> None:
    of_gateway = GatewaySettings(user_key=key)
    config = Settings(city_files=[DEPLOY / "cities" / "example.toml"], gateway=of_gateway)
    assert [f.verdict for f in doctor.users(config)] == verdicts


def test_the_exit_code_says_whether_something_is_bad(tmp_path: Path) -> None:
    config = tmp_path / "cityvitals.toml"
    config.write_text(f'[gateway]\nbroker.url = "mqtt://127.0.0.1:{free_port()}"\nbuffer = "{tmp_path}/g.db"\n')
    command = [sys.executable, "-m", "cityvitals", "doctor", "--config", str(config)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert answer.returncode == 1, answer.stderr
    assert "cannot be reached" in answer.stdout
    answer = subprocess.run([*command, "--format", "json"], capture_output=True, text=True, check=False, cwd=tmp_path)
    found = json.loads(answer.stdout)
    assert (answer.returncode, [f["verdict"] for f in found if f["what"].startswith("edge broker")]) == (1, ["bad"])
