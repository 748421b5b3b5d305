"""Certificates made by `cityvitals enrol`, shown to the real Mosquitto with the shipped access rules."""

from __future__ import annotations

import getpass
import shlex
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from cityvitals.operation import doctor
from edge.tools import enrol
from registry.settings import BrokerSettings
from telemetry.errors import UsageError
from tests.servers import Mosquitto, free_port
from tests.shipped_brokers import DEPLOY, NOT_AUTHORISED, TAKEN, connected, listen, publish

DATA = "cv/1/aberdeen/{}/data"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    now = enrol.utc_now()
    enrol.make_authorities(folder, "aberdeen", now)
    for broker in ("edge", "hub"):
        enrol.enrol(folder, "broker", broker, now, hosts=["localhost", "127.0.0.1"])
    for device in ("aq-001", "aq-002", "aq-revoked"):
        enrol.enrol(folder, "device", device, now)
    enrol.enrol(folder, "device", "aq-expired", now - timedelta(days=3), days=2)
    for gateway in ("gateway-1", "gateway-2"):
        enrol.enrol(folder, "gateway", gateway, now)
    (folder / "kept").mkdir()
    for end in ("crt", "key"):
        kept = (folder / "issued" / f"aq-revoked.{end}").read_bytes()
        (folder / "kept" / f"aq-revoked.{end}").write_bytes(kept)
    enrol.revoke(folder, "aq-revoked", now)
    enrol.make_authorities(folder / "other", "mallory", now)
    enrol.enrol(folder / "other", "device", "aq-001", now)
    return folder


@contextmanager
def tls_broker(folder: Path, pki: Path, name: str) -> Iterator[tuple[Mosquitto, int]]:
    port = free_port()
    authority = "devices" if name == "edge" else "infrastructure"
    lines = enrol.listener(pki, name, authority, port).replace(f"listener {port}", f"listener {port} 127.0.0.1")
    rules = f"acl_file {DEPLOY}/mosquitto/{name}.acl\n{lines}"
    with Mosquitto(folder, anonymous=False, extra=rules) as broker:
        assert isinstance(broker, Mosquitto)
        yield broker, port


@pytest.fixture(scope="module")
def edge(pki: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mosquitto, int]]:
    with tls_broker(tmp_path_factory.mktemp("edge"), pki, "edge") as broker:
        yield broker


@pytest.fixture(scope="module")
def hub(pki: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mosquitto, int]]:
    with tls_broker(tmp_path_factory.mktemp("hub"), pki, "hub") as broker:
        yield broker


def shown(pki: Path, name: str, folder: str = "issued", **rest: Any) -> dict[str, Any]:
    files = {"certfile": str(pki / folder / f"{name}.crt"), "keyfile": str(pki / folder / f"{name}.key")}
    return {"ca_certs": str(pki / "infrastructure-ca.crt"), **files, **rest}


def refused(broker: tuple[Mosquitto, int], **tls: Any) -> bool:
    """Whether the broker ends the connection before it answers a CONNECT."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    answers: list[Any] = []
    client.on_connect = lambda _c, _u, _f, reason, _p: answers.append(reason)
    client.tls_set(**tls)
    try:
        client.connect("127.0.0.1", broker[1])
        while client.loop(1.0) == 0:
            if answers:
                break
    except (ssl.SSLError, OSError):
        return True
    finally:
        client.disconnect()
    return not answers or answers[0].is_failure


def test_a_device_writes_under_its_own_name_and_no_other(edge: tuple[Mosquitto, int], pki: Path) -> None:
    broker, port = edge
    with connected(broker, "", port=port, **shown(pki, "aq-001")) as device:
        assert publish(device, DATA.format("aq-001")) in TAKEN
        assert publish(device, DATA.format("aq-002")) == NOT_AUTHORISED
        assert publish(device, "cv/1/aberdeen/aq-001/windows") == NOT_AUTHORISED
        assert publish(device, "cv/1/aberdeen/aq-001/cmd") == NOT_AUTHORISED


def test_a_device_does_not_hear_what_is_meant_for_another(edge: tuple[Mosquitto, int], pki: Path) -> None:
    broker, port = edge
    with (
        connected(broker, "", port=port, **shown(pki, "aq-001")) as one,
        connected(broker, "", port=port, **shown(pki, "aq-002")) as two,
    ):
        heard = listen(one, "#")
        assert publish(two, DATA.format("aq-002")) in TAKEN
        assert publish(two, "cv/1/aberdeen/aq-002/status") in TAKEN
        assert publish(one, DATA.format("aq-001")) in TAKEN
        assert heard.empty()


def test_a_gateway_writes_its_own_windows_and_no_others(hub: tuple[Mosquitto, int], pki: Path) -> None:
    broker, port = hub
    with connected(broker, "", port=port, **shown(pki, "gateway-1")) as gateway:
        assert publish(gateway, "cv/1/aberdeen/gateway-1/windows") in TAKEN
        assert publish(gateway, "cv/1/aberdeen/gateway-2/windows") == NOT_AUTHORISED
        assert publish(gateway, "cv/1/aberdeen/gateway-1/stored") == NOT_AUTHORISED
        assert publish(gateway, "cv/1/aberdeen/kpi/EN:EN:AQ:1C/no2") == NOT_AUTHORISED


@pytest.mark.parametrize(
    ("what", "tls"),
    [
        ("no certificate", {"certfile": None, "keyfile": None}),
        ("an expired one", {"name": "aq-expired"}),
        ("a revoked one", {"name": "aq-revoked", "folder": "kept"}),
        ("one of another city with the same name", {"name": "aq-001", "folder": "other/issued"}),
        ("a gateway's", {"name": "gateway-1"}),
        ("the broker's own", {"name": "hub"}),
    ],
)
def test_the_edge_broker_refuses(edge: tuple[Mosquitto, int], pki: Path, what: str, tls: dict[str, Any]) -> None:
    assert refused(edge, **shown(pki, tls.pop("name", "aq-001"), **tls)), what


@pytest.mark.parametrize("name", ["aq-001", "edge"])
def test_the_central_broker_accepts_gateways_only(hub: tuple[Mosquitto, int], pki: Path, name: str) -> None:
    assert refused(hub, **shown(pki, name))


@pytest.mark.parametrize(
    ("name", "folder", "verdict"), [("aq-001", "issued", "ok"), ("aq-revoked", "kept", "bad"), ("hub", "issued", "bad")]
)
def test_doctor_says_that_a_broker_does_not_want_our_certificate(
    edge: tuple[Mosquitto, int], pki: Path, name: str, folder: str, verdict: str
) -> None:
    files = {"cert": pki / folder / f"{name}.crt", "key": pki / folder / f"{name}.key"}
    place = BrokerSettings(url=f"mqtts://127.0.0.1:{edge[1]}", ca=pki / "infrastructure-ca.crt", **files)
    found = doctor.reachable("edge broker", place)
    assert (found.verdict, "client certificate missing, expired, revoked" in found.advice) == (
        verdict,
        verdict == "bad",
    )


@pytest.mark.skipif(sys.platform != "linux", reason="install(1) takes other options elsewhere")
def test_a_listener_over_copies_works_after_the_command_it_names(pki: Path, tmp_path: Path) -> None:
    port = free_port()
    output, _, lines = enrol.listener(pki, "edge", "devices", port, tmp_path / "copies").partition("\n")
    command = output.removeprefix("# Before: ").replace("-o mosquitto", f"-o {getpass.getuser()}")
    subprocess.run(shlex.split(command), check=True)
    assert str(pki) not in lines
    rules = lines.replace(f"listener {port}", f"listener {port} 127.0.0.1")
    with (
        Mosquitto(tmp_path / "broker", anonymous=False, extra=rules) as broker,
        connected(broker, "", port=port, **shown(pki, "aq-001")),
    ):
        pass


def test_the_test_for_refusal_sees_an_accepted_client(edge: tuple[Mosquitto, int], pki: Path) -> None:
    assert not refused(edge, **shown(pki, "aq-001"))


def test_an_id_is_given_once_and_never_a_role(tmp_path: Path) -> None:
    now = enrol.utc_now()
    enrol.make_authorities(tmp_path, "aberdeen", now)
    enrol.enrol(tmp_path, "device", "aq-1", now)
    with pytest.raises(UsageError, match="enrolled already"):
        enrol.enrol(tmp_path, "gateway", "aq-1", now)
    for role in ("gateway", "operator", "ingest"):
        with pytest.raises(UsageError, match="is a role with rights of its own"):
            enrol.enrol(tmp_path, "device", role, now)
    with pytest.raises(UsageError, match="is not a valid id"):
        enrol.enrol(tmp_path, "device", "../x", now)


def test_a_revoked_id_can_be_enrolled_a_second_time_and_both_lists_stay(tmp_path: Path) -> None:
    now = enrol.utc_now()
    enrol.make_authorities(tmp_path, "aberdeen", now)
    for _ in range(2):
        enrol.enrol(tmp_path, "device", "aq-1", now)
        enrol.revoke(tmp_path, "aq-1", now)
    assert len(list(enrol._list(tmp_path, "devices"))) == 2
    before = (tmp_path / "devices-ca.crt").read_bytes()
    enrol.make_authorities(tmp_path, "aberdeen", now)
    assert (tmp_path / "devices-ca.crt").read_bytes() == before


def test_keys_can_be_read_by_their_owner_only(tmp_path: Path) -> None:
    now = enrol.utc_now()
    enrol.make_authorities(tmp_path, "aberdeen", now)
    files = enrol.enrol(tmp_path, "device", "aq-1", now)
    keys = [files.key, files.der_key, *tmp_path.glob("*-ca.key")]
    assert {oct(key.stat().st_mode & 0o777) for key in keys} == {"0o600"}
    assert files.der.read_bytes()[:1] == files.der_key.read_bytes()[:1] == b"\x30"


def test_certificates_about_to_expire_are_found(tmp_path: Path) -> None:
    now = enrol.utc_now()
    enrol.make_authorities(tmp_path, "aberdeen", now)
    enrol.enrol(tmp_path, "device", "soon", now, days=20)
    enrol.enrol(tmp_path, "device", "later", now, days=400)
    enrol.enrol(tmp_path, "device", "revoked", now, days=20)
    enrol.revoke(tmp_path, "revoked", now)
    ends = {path.stem: enrol.end_of(path) for path in enrol.dated_files(tmp_path)}
    assert [name for name, end in ends.items() if end < now + timedelta(days=30)] == ["soon"]
    assert {"devices-ca", "infrastructure-crl", "later"} < set(ends)


def test_a_list_that_is_lost_or_old_is_written_from_the_start_and_names_the_same(tmp_path: Path) -> None:
    now = enrol.utc_now()
    enrol.make_authorities(tmp_path, "aberdeen", now)
    enrol.enrol(tmp_path, "device", "aq-1", now)
    listed = enrol.revoke(tmp_path, "aq-1", now).listed
    before = [entry.serial_number for entry in enrol._list(tmp_path, "devices")]
    listed.unlink()
    enrol.make_authorities(tmp_path, "aberdeen", now)
    later = now + 10 * enrol._YEAR
    enrol.make_authorities(tmp_path, "aberdeen", later)
    assert [entry.serial_number for entry in enrol._list(tmp_path, "devices")] == before
    assert enrol.end_of(listed) > later


@pytest.mark.parametrize("city", ["a", "b" * 64])
def test_the_authorities_know_their_city_whatever_the_length_of_its_id(tmp_path: Path, city: str) -> None:
    enrol.make_authorities(tmp_path, city, enrol.utc_now())
    assert enrol.city_of(tmp_path) == city


def test_a_key_without_its_certificate_is_not_written_over(tmp_path: Path) -> None:
    now = enrol.utc_now()
    enrol.make_authorities(tmp_path, "aberdeen", now)
    key = (tmp_path / "devices-ca.key").read_bytes()
    (tmp_path / "devices-ca.crt").unlink()
    with pytest.raises(UsageError, match=r"exists without devices-ca\.crt"):
        enrol.make_authorities(tmp_path, "aberdeen", now)
    assert (tmp_path / "devices-ca.key").read_bytes() == key


def test_without_the_key_that_is_kept_elsewhere_nothing_is_signed_and_nothing_replaced(tmp_path: Path) -> None:
    now = enrol.utc_now()
    enrol.make_authorities(tmp_path, "aberdeen", now)
    (tmp_path / "devices-ca.key").unlink()
    enrol.make_authorities(tmp_path, "aberdeen", now)
    with pytest.raises(UsageError, match="copy the key from where it is stored"):
        enrol.enrol(tmp_path, "device", "aq-1", now)
    (tmp_path / "devices-ca.key").write_bytes((tmp_path / "infrastructure-ca.key").read_bytes())
    with pytest.raises(UsageError, match=r"is not the key of devices-ca\.crt"):
        enrol.enrol(tmp_path, "device", "aq-1", now)
