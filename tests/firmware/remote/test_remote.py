"""A node obeys from afar: commands, configuration on trial, and reports of what went wrong."""

import hashlib
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ServerFactory
from tests.firmware.listener import Listener
from tests.firmware.node import Node
from tests.servers import Mosquitto, free_port, wait_for

Pair = tuple[Listener, Node]


@pytest.fixture
def pair(server: ServerFactory, tmp_path: Path) -> Iterator[Pair]:
    """A running air node whose clock runs ten times as fast, and somebody who listens."""
    broker = server(Mosquitto)
    with Listener(broker.port, "demo") as heard, Node(tmp_path / "node") as node:
        node.wiring["speed"] = 10
        node.start("127.0.0.1", broker.port, "demo", "n1", interval_s=5, mqtt={"keepalive_s": 300})
        wait_for(lambda: len(heard.with_values("pm2_5")) >= 3, 20, "three records")
        yield heard, node


def reported(heard: Listener, **wanted: str) -> list[Any]:
    """Configuration reports that hold these fields."""
    return [r for r in heard.on("/config/report") if wanted.items() <= r.items()]


def answered(heard: Listener, count: int) -> bool:
    """Whether that many commands have an answer."""
    return len(heard.on("/cmd/answer")) == count


def refused(heard: Listener, count: int) -> bool:
    """Whether that many configurations have been refused."""
    return len(reported(heard, state="refused")) == count


def test_records_are_sent_again_on_request_with_their_identity_and_values(pair: Pair) -> None:
    heard, _ = pair
    with heard.lock:
        before = dict(heard.records)
        heard.records.clear()
    places = sorted(before)[:3]
    heard.command("n1", cmd="resend", id=5, boot=1, **{"from": places[0][1], "to": places[-1][1]})
    wait_for(lambda: set(places) <= set(heard.records), 10, "the records to be resent")
    answer = wait_for(lambda: heard.on("/cmd/answer"), 10, "an answer")[0]
    assert answer == {"id": 5, "ok": True, "found": 3}
    assert [heard.records[p]["values"] for p in places] == [before[p]["values"] for p in places]


WRONG_COMMANDS = [
    (b"no json", "syntax error in JSON"),
    (b"[1]", "not a table with a key cmd"),
    (b'{"cmd": "dance", "id": 1}', "unknown command; known: log, resend, restart, state"),
    (b'{"cmd": "resend", "boot": 1, "from": 5}', "to: expected a whole number"),
    (b'{"cmd": "resend", "boot": 1, "from": 5, "to": 4}', "from..to: empty, or more than 5000 records"),
    (b'{"cmd": "' + b"x" * 20000 + b'"}', "longer than this node can take"),
    (b"\xff\xfe\xfd", "syntax error in JSON"),
]


def test_a_wrong_command_is_answered_with_the_reason(pair: Pair) -> None:
    heard, node = pair
    for number, (payload, reason) in enumerate(WRONG_COMMANDS, 1):
        heard.send("n1", "cmd", payload, retain=False)
        wait_for(partial(answered, heard, number), 10, f"an answer: {reason}")
        answer = heard.on("/cmd/answer")[-1]
        assert (answer["ok"], answer["reason"]) == (False, reason)
    assert node.exits == []


def test_a_new_configuration_is_tried_kept_and_reported(pair: Pair) -> None:
    heard, node = pair
    desired = json.dumps({"interval_s": 7, "mqtt": {"keepalive_s": 200}}).encode()
    name = hashlib.sha256(desired).hexdigest()[:12]
    heard.send("n1", "config", desired)
    wait_for(lambda: reported(heard, hash=name, state="applied"), 20, "the new configuration to be applied")
    assert reported(heard, hash=name, state="trial")
    assert node.exits == [75]
    assert not (node.workdir / "config.trial").exists()


def test_a_configuration_without_a_way_to_the_broker_is_taken_back_and_not_tried_again(pair: Pair) -> None:
    heard, node = pair
    node.kill()
    node.wiring["speed"] = 100
    node.boot()
    desired = json.dumps({"mqtt": {"port": free_port()}}).encode()
    heard.send("n1", "config", desired)
    wait_for(lambda: reported(heard, state="reverted"), 40, "the old configuration to come back")
    wait_for(lambda: reported(heard, state="refused", reason="was tried before and given up"), 20, "the refusal")
    assert len(node.exits) >= 2


WRONG_CONFIGURATIONS = [
    (b'{"interval_sec": 5}', "interval_sec: unknown key, did you mean interval_s?"),
    (b'{"device": "other"}', "device: cannot be set from afar"),
    (b'{"interval_s": 0}', "interval_s: not in 1..86400"),
    (b'{"mqtt": {"port": "x"}}', "mqtt.port: expected int"),
    (b"[]", "not a table of keys"),
    (b"{" * 9000, "longer than this node can take"),
]


def test_a_wrong_configuration_is_refused_by_name_of_the_key(pair: Pair) -> None:
    heard, node = pair
    for number, (desired, reason) in enumerate(WRONG_CONFIGURATIONS, 1):
        heard.send("n1", "config", desired)
        wait_for(partial(refused, heard, number), 10, f"a refusal: {reason}")
        assert reported(heard, state="refused")[-1]["reason"] == reason
    assert node.exits == []


def test_a_damaged_configuration_falls_back_to_the_last_good_one(pair: Pair) -> None:
    heard, node = pair
    desired = b'{"interval_s": 3}'
    heard.send("n1", "config", desired)
    wait_for(lambda: reported(heard, state="applied", hash=hashlib.sha256(desired).hexdigest()[:12]), 20, "the change")
    node.kill()
    (node.workdir / "config.now").write_bytes(b"\x00\xff garbage")
    (node.workdir / "node.json").write_text('{"city": ')
    before = len(heard.with_values("pm2_5"))
    node.boot()
    wait_for(lambda: len(heard.with_values("pm2_5")) > before + 2, 20, "the node to go on")


def test_a_crashing_task_is_started_again_and_reported(pair: Pair) -> None:
    heard, node = pair
    node.kill()
    conf = json.loads((node.workdir / "node.json").read_text())
    conf["sensors"].append({"driver": "no_such_sensor"})
    (node.workdir / "node.json").write_text(json.dumps(conf))
    before = len(heard.with_values("pm2_5"))
    node.boot()
    report = wait_for(heard.faults, 20, "a report")[0]
    assert report["task"] == "sensor no_such_sensor"
    assert "ImportError" in report["error"]
    wait_for(lambda: len(heard.with_values("pm2_5")) > before + 2, 20, "the other sensors to go on")
