"""A board without a cable becomes a node: access point, form, one-time code, enrolment over HTTPS, first reading.

The firmware runs on the strict model of the board, `cityvitals enrol serve` is a process of its own, the broker a
Mosquitto that wants certificates.
"""

import json
import re
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cityvitals.cli.main import app
from edge.tools import codes, enrol
from tests.firmware.board_node import BoardNode
from tests.firmware.listener import Listener
from tests.firmware.setup.telephone import Telephone
from tests.firmware.timeserver import TimeServer
from tests.processes import end, start
from tests.servers import Mosquitto, free_port, wait_for

NOW = enrol.utc_now()
SPEED = 10


@pytest.fixture
def pki(tmp_path: Path) -> Path:
    folder = tmp_path / "pki"
    enrol.make_authorities(folder, "aberdeen", NOW)
    enrol.enrol(folder, "broker", "edge", NOW, hosts=["127.0.0.1", "localhost"])
    return folder


@pytest.fixture
def node(tmp_path: Path) -> Iterator[BoardNode]:
    ports = {"53": free_port(), "80": free_port()}
    with BoardNode(tmp_path / "board", speed=SPEED, ports=ports) as made:
        made.wire("bme280")
        yield made


@contextmanager
def serving(pki: Path, port: int) -> Iterator[Path]:
    """`cityvitals enrol serve` as a process; yields its log."""
    log = pki.parent / "serve.log"
    words: list[str | Path] = ["enrol", "serve", "--pki", pki, "--port", str(port), "--host", "127.0.0.1"]
    process = start([sys.executable, "-m", "cityvitals", *words], log=log)
    try:
        wait_for(lambda: listens(port), 30, "the enrolment server")
        yield log
    finally:
        end(process)


def listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def one_time_code(pki: Path, broker_port: int = 8883, *words: str) -> str:
    """As `cityvitals enrol code` prints it."""
    command = ["enrol", "code", "aq-001", "--kind", "air", "--broker", f"mqtts://127.0.0.1:{broker_port}"]
    command += ["--pki", str(pki), "--driver", "bme280", "--interval-s", "5", *words]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.exception
    return done.stdout.splitlines()[0]


def form(server: int, code: str, **more: str) -> dict[str, str]:
    return {"ssid": "home", "password": "secret+& 1", "server": f"127.0.0.1:{server}", "code": code, **more}


def prepared(node: BoardNode) -> Telephone:
    """Switch the board on; its network has a password with signs that forms must escape."""
    node.world["wifi"] = {"ssid": "home", "password": "secret+& 1", "join_ms": 300}
    node.boot()
    return Telephone(node)


def test_a_board_becomes_a_node_with_a_telephone_and_a_code(pki: Path, node: BoardNode, tmp_path: Path) -> None:
    server, port = free_port(), free_port()
    lines = enrol.listener(pki, "edge", "devices", port).replace(f"listener {port}", f"listener {port} 127.0.0.1")
    with (
        Mosquitto(tmp_path / "edge", extra=lines) as broker,
        Listener(broker.port, "aberdeen") as heard,
        TimeServer() as ntp,
        TimeServer() as second,
    ):
        code = one_time_code(pki, port, "--time-server", ntp.name, "--time-server", second.name)
        (node.folder / "portal.json").write_text('{"password": "12345-67890"}')
        phone = prepared(node)
        assert "<option>home" in phone.page()
        assert phone.name("captive.apple.com")[-4:] == bytes([192, 168, 4, 1])
        assert phone.name("captive.apple.com", 28)[6:8] == b"\0\0"  # no IPv6 address, and not an error
        assert phone.ask("GET", "/generate_204")[:2] == (302, "http://192.168.4.1/")
        assert '"key": "12345-67890"' in node.console()
        with serving(pki, server) as log:
            assert "joins 'home'" in phone.send(**form(server, code.lower()))
            wait_for(lambda: node.exits == [75], 40, f"the enrolment: {node.console()[-600:]}")
            assert "aq-001 is enrolled" in log.read_text()
        conf = json.loads((node.folder / "node.json").read_text())
        assert (conf["device"], conf["wifi"]["password"]) == ("aq-001", "secret+& 1")
        assert (node.folder / "device.der").read_bytes() == (pki / "issued/aq-001.der").read_bytes()
        assert not (node.folder / "setup").exists()
        wait_for(lambda: heard.with_values("temperature"), 60, f"a reading at the broker: {node.console()[-600:]}")
        assert node.exits == [75]
    assert code not in (pki / "codes").iterdir().__next__().read_text()


def test_a_code_that_is_refused_is_named_and_the_same_page_takes_another(pki: Path, node: BoardNode) -> None:
    server = free_port()
    right = one_time_code(pki)
    wrong = right.replace(right[:4], "ZZZZ" if right[:4] != "ZZZZ" else "0000", 1)
    phone = prepared(node)
    phone.page()
    assert "32 characters" in phone.send(**form(server, "1234"))
    with serving(pki, server):
        phone.send(**form(server, wrong))
        assert phone.problem(60) == "The server refuses: The code is unknown, used or expired."
        phone.send(**form(server, right))
        wait_for(lambda: node.exits == [75], 40, "the enrolment")


def test_a_wrong_password_is_named_with_its_status_and_the_second_network_helps(pki: Path, node: BoardNode) -> None:
    server, code = free_port(), one_time_code(pki)
    with serving(pki, server):
        phone = prepared(node)
        phone.page()
        phone.send(**form(server, code, password="wrongwrong"))
        assert "Wi-Fi &#39;home&#39;: 202 wrong password" in phone.problem(90)
        phone.send(**form(server, code, password="wrongwrong", ssid2="home", password2="secret+& 1"))
        wait_for(lambda: node.exits == [75], 90, f"the enrolment: {node.console()[-600:]}")


def test_power_that_fails_after_the_form_loses_nothing(pki: Path, node: BoardNode) -> None:
    server, code = free_port(), one_time_code(pki)
    phone = prepared(node)
    phone.page()
    phone.send(**form(server, code))
    assert f"nothing answers at 127.0.0.1:{server}" in phone.problem(60)
    node.kill()
    with serving(pki, server):
        node.boot()
        wait_for(lambda: 75 in node.exits, 60, f"the enrolment: {node.console()[-600:]}")
    assert json.loads((node.folder / "node.json").read_text())["device"] == "aq-001"


def test_another_server_than_the_code_names_gets_nothing(pki: Path, node: BoardNode, tmp_path: Path) -> None:
    mallory = tmp_path / "mallory"
    enrol.make_authorities(mallory, "aberdeen", NOW)
    files = codes.certificate(mallory, NOW)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    got: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        sock, _ = listener.accept()
        try:
            got.append(context.wrap_socket(sock, server_side=True).recv(1024))
        except OSError as error:
            got.append(b"" if "ALERT" in str(error).upper() else str(error).encode())

    threading.Thread(target=serve, daemon=True).start()
    phone = prepared(node)
    phone.page()
    phone.send(**form(listener.getsockname()[1], one_time_code(pki)))
    assert phone.problem(60) == "another server than the code names"
    wait_for(lambda: got, 10, "the end of the handshake")
    assert got == [b""]
    listener.close()


def redeem(pki: Path, code: str, nonce: str = "n" * 32, at: Any = NOW) -> dict[str, bytes]:
    return codes.redeem(pki, code, nonce, at)


def test_a_code_is_kept_as_a_digest_and_works_once_and_not_too_late(pki: Path) -> None:
    code = one_time_code(pki)
    held = list((pki / "codes").iterdir())
    assert [oct(path.stat().st_mode & 0o777) for path in held] == ["0o600"]
    assert not any(code[:9] in path.name + path.read_text() for path in held)
    with pytest.raises(codes.Refused):
        redeem(pki, code, at=NOW + timedelta(hours=25))
    files = redeem(pki, code)
    assert redeem(pki, code) == files  # its own answer was lost
    with pytest.raises(codes.Refused):
        redeem(pki, code, "m" * 32)
    with pytest.raises(codes.Refused):
        redeem(pki, code, at=NOW + timedelta(hours=2))
    again = CliRunner().invoke(
        app, ["enrol", "code", "aq-001", "--kind", "air", "--broker", "mqtts://h", "--pki", str(pki)]
    )
    assert "enrolled already" in str(again.exception)


def test_an_address_that_guesses_is_kept_waiting(pki: Path) -> None:
    from starlette.testclient import TestClient

    from edge.tools.enrol_server import WRONG_MOST, WRONG_SPAN_S, Limit, application

    seconds, said = [0.0], []  # type: ignore[var-annotated]
    limit = Limit(lambda: seconds[0])
    client = TestClient(application(pki, said.append, limit=limit))
    code = one_time_code(pki)
    right = {"code": code, "nonce": "n" * 32}
    for _ in range(WRONG_MOST):
        assert client.post("/enrol", json={"code": "0" * 32, "nonce": "n" * 32}).status_code == 403
        seconds[0] += 1
    held = client.post("/enrol", json=right)
    assert (held.status_code, int(held.headers["retry-after"])) == (429, WRONG_SPAN_S - WRONG_MOST)
    seconds[0] += WRONG_SPAN_S
    assert client.post("/enrol", json=right).status_code == 200
    assert [line for line in said if re.search(code[:9], line)] == []


def test_a_host_with_many_addresses_of_ipv6_is_one_that_guesses() -> None:
    from edge.tools.enrol_server import WRONG_MOST, Limit

    limit = Limit(lambda: 0.0)
    for number in range(WRONG_MOST):
        limit.wrong(f"2001:db8:0:7::{number:x}")
    assert limit.wait_s("2001:db8:0:7:ffff::1")
    assert not limit.wait_s("2001:db8:0:8::1")
    for _ in range(WRONG_MOST):
        limit.wrong("::ffff:192.0.2.1")
    assert limit.wait_s("::ffff:192.0.2.1")
    assert limit.wait_s("192.0.2.1")
    assert not limit.wait_s("::ffff:192.0.2.2")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"code": 1, "nonce": "n"}', b'{"code": "x", "nonce": ""}', b"\xff", b"x" * 2000]
)
def test_a_request_that_is_none_is_refused(pki: Path, body: bytes) -> None:
    from starlette.testclient import TestClient

    from edge.tools.enrol_server import application

    answer = TestClient(application(pki, print)).post("/enrol", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_button_held_for_ten_seconds_makes_a_board_of_the_node(pki: Path, node: BoardNode, tmp_path: Path) -> None:
    del pki
    node.world["levels"] = ""
    node.start(free_port(), button=0, ntp_wait_s=0)
    wait_for(lambda: (node.folder / "boots").exists() and "bme280" in node.console(), 30, "the node")
    node.change(pressed=[0])
    wait_for(lambda: "reset to unenrolled" in node.console(), 30, "the button")
    node.change(pressed=[])
    wait_for(lambda: "setup: access point" in node.console(), 30, "the access point")
    assert not (node.folder / "node.json").exists()
    kept = json.loads((node.folder / "nvs.json").read_text())
    assert list(kept) == ["cityvitals/boots"]
    assert set((node.folder / "flash.bin").read_bytes()) == {0xFF}
    assert (node.folder / "boots").exists()
    assert {"config.base", "reset", "anchors"} & {path.name for path in node.folder.iterdir()} == set()
