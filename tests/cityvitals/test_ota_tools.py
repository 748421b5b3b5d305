"""`cityvitals ota` end to end: the shipped edge broker, a real MicroPython node that takes updates or refuses them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Message
from cityvitals.cli import ota as cli_ota
from cityvitals.cli.main import app
from edge.tools import enrol, node_enrol, release
from edge.tools import ota as node_ota
from edge.tools.node_enrol import NodeKey
from edge.tools.release import FIRMWARE, version_of
from telemetry.errors import CityVitalsError, Unavailable, UsageError
from tests.conftest import ServerFactory
from tests.firmware.node import Node
from tests.firmware.remote.built import built
from tests.processes import free_port
from tests.servers import Mosquitto
from tests.shipped_brokers import make_users, shipped_broker

NOW = enrol.utc_now()
NEW, NEWER = "9.1.0", "9.2.0"


@pytest.fixture(autouse=True)
def short_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_ota, "_QUIET", 0.5)


@pytest.fixture(autouse=True)
def built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "build", built)


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    make_users(folder)
    return folder


@pytest.fixture
def edge(users: Path) -> Iterator[Mosquitto]:
    with shipped_broker(users, "edge") as broker:
        yield broker


def url(edge: Mosquitto, users: Path, user: str) -> str:
    return f"mqtt://{user}:{(users / f'password-{user}').read_text()}@127.0.0.1:{edge.port}"


@pytest.fixture
def pki(tmp_path: Path, edge: Mosquitto, users: Path) -> Path:
    """Two nodes: aq-001, which will run, and aq-002, which stays in its box."""
    folder = tmp_path / "pki"
    enrol.make_authorities(folder, "demo", NOW)
    for name in ("aq-001", "aq-002"):
        place = Broker.parse(url(edge, users, name))
        node_enrol.enrol_node(folder, name, "air", place, NOW, interval_s=5)
    return folder


def sources(folder: Path, version: str) -> Path:
    """The firmware as it is, under another version."""
    shutil.copytree(FIRMWARE, folder / version)
    init = folder / version / "__init__.py"
    init.write_text(init.read_text().replace(f'VERSION = "{version_of()}"', f'VERSION = "{version}"'))
    return folder / version


def ota(*words: str | Path) -> Any:
    return CliRunner().invoke(app, ["ota", *map(str, words)])


def retained(broker: str) -> set[str]:
    """The digests of the chunks that the broker holds for aq-001."""
    link = node_ota.connect(Broker.parse(broker), ["cv/1/demo/aq-001/ota/+/+"])
    found = {message.topic.split("/")[5] for message in node_ota.held(link) if message.payload}
    link.close()
    return found


def test_an_update_is_published_taken_and_reported_and_a_forged_one_is_refused(
    edge: Mosquitto, users: Path, pki: Path, tmp_path: Path
) -> None:
    operator = url(edge, users, "operator")
    common: list[str | Path] = ["--broker", operator, "--pki", pki, "--platform", "unix"]
    with Node(tmp_path / "node", slots=True) as node:
        shutil.copytree(pki / "nodes/aq-001", node.workdir, dirs_exist_ok=True)
        node.install()
        node.air()
        node.wiring["speed"] = 5
        node.boot()
        done = ota("publish", "aq-001", *common, "--firmware", sources(tmp_path, NEW), "--wait", "80")
        assert (done.exit_code, done.output.splitlines()[-1]) == (0, f"aq-001: runs {NEW}"), done.exception
        assert "already" not in done.output
        shown = ota("status", "--broker", operator, "--city", "demo").output.splitlines()
        assert shown[1].split() == ["demo/aq-001", "online", "2", NEW, "b"]

        again = ota("publish", "aq-001", *common, "--firmware", tmp_path / NEW, "--wait", "40")
        assert f"aq-001 already had {NEW}" in again.output
        assert again.exit_code == 0
        first = retained(operator)
        known = pki / "issued/aq-001.ota.json"
        known.write_text(json.dumps({**json.loads(known.read_text()), "key": "00" * 32}))
        done = ota("publish", "aq-001", *common, "--firmware", sources(tmp_path, NEWER), "--wait", "40")
        assert (done.exit_code, done.output.splitlines()[-1]) == (1, f"aq-001: refused {NEWER}: wrong HMAC")
        shown = ota("status", "aq-001", "--broker", operator).output.splitlines()
        assert shown[1].endswith(f"{NEW}  b     refused {NEWER}: wrong HMAC"), shown
        assert len(first) == len(retained(operator)) == 1
        assert first != retained(operator), "the chunks of before are taken away"
        assert len(node.exits) == 1


def test_all_nodes_of_a_kind_are_offered_it_and_one_that_is_away_has_not_answered(
    edge: Mosquitto, users: Path, pki: Path, tmp_path: Path
) -> None:
    words: list[str | Path] = [
        "--kind",
        "air",
        "--pki",
        pki,
        "--broker",
        url(edge, users, "operator"),
        "--wait",
        "1",
    ]
    done = ota("publish", *words)
    assert done.exit_code == 1
    assert f"{version_of()} " in done.output
    assert "is offered to aq-001, aq-002." in done.output
    assert "aq-002: has not answered yet" in done.output


def test_a_user_without_the_right_is_denied_with_a_sentence(
    edge: Mosquitto, users: Path, pki: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_ota, "_STUCK", 1.0)
    error = ota("publish", "aq-001", "--pki", pki, "--broker", url(edge, users, "aq-002")).exception
    assert isinstance(error, CityVitalsError)
    assert "did not accept the update for aq-001. May this user write ota/offer" in str(error)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["publish"], "Name the nodes to update"),
        (["publish", "aq-001", "--kind", "air"], "Name the nodes to update"),
        (["publish", "aq-9"], "no key for updates of 'aq-9'"),
        (["publish", "--kind", "ev"], "no node of kind 'ev'; enrolled are: air"),
        (["publish", "aq-001", "--platform", "esp"], "no platform 'esp'; valid are: esp32, unix"),
        (["publish", "aq-001", "--firmware", "nowhere"], "nowhere holds no firmware"),
        (["publish", "aq-001", "--firmware", "broken"], "does not compile: SyntaxError"),
        (["publish", "aq-001", "--ca", "nowhere"], "There is no file nowhere"),
        (["status", "--format", "xml"], "'xml' is not a valid format"),
    ],
)
def test_a_wrong_call_is_a_sentence(pki: Path, tmp_path: Path, words: list[str], says: str) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/__init__.py").write_text('VERSION = "1"\ndef broken(:\n')
    words = [str(tmp_path / word) if word == "broken" else word for word in words]
    error = ota(*words, "--pki", pki).exception
    assert isinstance(error, UsageError)
    assert says in str(error)


def test_a_broker_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_ota, "_CONNECT", 0.5)
    port = free_port()
    error = ota("status", "--broker", f"mqtt://127.0.0.1:{port}").exception
    assert isinstance(error, Unavailable)
    assert f"127.0.0.1:{port} cannot be reached" in str(error)


@pytest.mark.parametrize(
    ("said", "update", "end"),
    [
        ({"state": "running", "fw": "2", "version": "2", "bad": []}, "", ""),
        ({"state": "running", "fw": "1", "version": "1", "bad": []}, "2 is offered", None),
        ({"state": "trial", "fw": "1", "version": "2", "bad": []}, "2 on trial", None),
        ({"state": "running", "fw": "1", "version": "1", "bad": ["2"]}, "2 was rolled back", "2 was rolled back"),
        ({"state": "refused", "fw": "1", "version": "2", "reason": "x"}, "refused 2: x", "refused 2: x"),
        ({"state": "refused", "fw": "1", "version": "3", "reason": "x"}, "refused 3: x", None),
        ({"state": "running", "fw": "1", "version": "1", "bad": 5}, "2 is offered", None),
        ({"state": "running", "fw": "1", "version": "1", "bad": "12"}, "2 is offered", None),
        ({"state": "running", "fw": "1", "version": {}, "bad": ["2", 5]}, "2 is offered", None),
    ],
)
def test_the_report_of_a_node_becomes_a_sentence(said: dict[str, Any], update: str, end: str | None) -> None:
    node = node_ota.NodeReport("demo", "n1", {"fw": said["fw"]}, said, {"version": "2"})
    assert (node.update, node_ota.outcome(node, "2")) == (update, end)


def test_where_to_connect_comes_from_options_over_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, password = tmp_path / "c.toml", tmp_path / "password"
    config.write_text('[gateway.broker]\nurl = "mqtt://edge"\nusername = "gateway"\n')
    password.write_text("secret\n")
    assert cli_ota._broker("", config, None, None, None) == Broker("edge", 1883, username="gateway")
    monkeypatch.setenv("CITYVITALS__GATEWAY__BROKER__USERNAME", "operator")
    monkeypatch.setenv("CITYVITALS__GATEWAY__BROKER__PASSWORD_FILE", str(password))
    enrol.make_authorities(tmp_path, "demo", NOW)
    issued = enrol.enrol(tmp_path, "device", "aq-001", NOW)
    ca, certificate, key = tmp_path / "infrastructure-ca.crt", issued.certificate, issued.key
    place = cli_ota._broker("mqtts://hub", config, ca, certificate, key)
    assert place == Broker("hub", 8883, True, "operator", "secret", ca, certificate, key)


STRANGE = {
    "odd": (b'{"bad": 5, "fw": "1"}', "", "1"),
    "deep": (b"[" * 100_000, "ota/state cannot be read", ""),
    "deepish": (b'{"a":' * 300 + b"1" + b"}" * 300, "ota/state cannot be read", ""),
    "list": (b"[1]", "ota/state cannot be read", ""),
    "noise": (b"\xff\x00", "ota/state cannot be read", ""),
    "other": (b'{"fw": "1", "bad": {}, "state": []}', "", "1"),
}


def test_a_strange_node_hides_no_other(server: ServerFactory) -> None:
    broker = server(Mosquitto)
    link = node_ota.connect(Broker.parse(broker.url), [])
    link.publish("cv/1/demo/zz-good/status", b'{"state": "online", "fw": "1"}', retain=True)
    for name, (payload, _, _) in STRANGE.items():
        link.publish(f"cv/1/demo/{name}/ota/state", payload, retain=True)
    node_ota._acknowledged(link, len(STRANGE) + 1)
    link.close()
    shown = {row["device"]: row for row in json.loads(ota("status", "--broker", broker.url, "--format", "json").output)}
    assert shown.keys() == {*STRANGE, "zz-good"}
    assert {name: (shown[name]["update"], shown[name]["fw"]) for name in STRANGE} == {
        name: (update, version) for name, (_, update, version) in STRANGE.items()
    }
    lines = ota("status", "--broker", broker.url).output.splitlines()
    assert len(lines) == len(STRANGE) + 2
    assert "demo/zz-good  online" in lines[-1]
    keys = [NodeKey("demo", name, "air", b"") for name in ("zz-good", "deep")]
    ends = {key.device: end for key, end in node_ota.follow(Broker.parse(broker.url), "1", keys, {}, 0.6)}
    assert ends == {"zz-good": "", "deep": "ota/state cannot be read"}


def test_what_cannot_be_read_any_more_is_not_what_was_read_before() -> None:
    said: dict[tuple[str, str], node_ota.NodeReport] = {}
    topic = "cv/1/demo/n1/ota/state"
    for payload, readable in ((b'{"state": "running", "fw": "2"}', True), (b"[", False), (b"", True)):
        node_ota.sort_reports(said, [Message(topic, payload, False, False, 0, 0, 0)])
        node = said["demo", "n1"]
        assert node.unreadable == (set() if readable else {"ota/state"})
        assert node_ota.outcome(node, "2") == ("" if b"running" in payload else None)


def test_a_node_cannot_give_itself_out_as_another_nor_move_the_cursor() -> None:
    status = {"fw": "1\x1b[2J", "state": "on\nline", "device": "other", "city": "elsewhere"}
    refused = {"state": "refused", "version": "2", "reason": "\x9b1;1H\u202e\ud800"}
    node = node_ota.NodeReport("demo", "n1", status, refused)
    (shown,) = json.loads(node_ota.as_json([node]))
    assert (shown["city"], shown["device"]) == ("demo", "n1")
    _, line = node_ota.table([node]).splitlines()
    assert line.isprintable()
    assert r"refused 2: \x9b1;1H\u202e\ud800" in line
    assert r"on\nline" in line
