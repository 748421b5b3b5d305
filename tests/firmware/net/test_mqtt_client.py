"""The node's MQTT client against brokers that misbehave."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.firmware.fakebroker import FakeBroker
from tests.firmware.interpreters import PATHS, micropython, run
from tests.servers import wait_for

SPEED = 50


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A board's folder in which time runs fast."""
    (tmp_path / "wiring.json").write_text(json.dumps({"speed": SPEED}))
    return tmp_path


def publish(folder: Path, broker: FakeBroker, count: int, pid: int = 0, bits: int = 64) -> str:
    """Run the client until everything is acknowledged."""
    return run("client_case.py", str(folder), str(broker.port), str(pid), str(count), bits=bits, timeout=60)


@pytest.mark.parametrize("bits", [64, 32])
def test_packet_ids_wrap_from_65535_to_1_and_are_never_zero(folder: Path, bits: int) -> None:
    broker = FakeBroker()
    assert publish(folder, broker, 30, pid=65520, bits=bits) == "acked 30 sessions 1\n"
    ids = [pid for _, pid, _, _ in broker.seen]
    assert ids[-1] < 30 < ids[0]
    assert 0 not in ids
    assert len(set(ids)) == 30


def test_an_id_still_in_flight_is_passed_over(folder: Path) -> None:
    held: list[int] = []

    def hold_first(_session: int, pid: int, payload: bytes) -> str:
        if payload == b"0" and not held:
            held.append(pid)
            return "ignore"
        return "close" if payload == b"40" and len(broker.seen) < 50 else "ack"

    broker = FakeBroker(hold_first)
    publish(folder, broker, 45, pid=65500)
    assert held[0] not in [pid for session, pid, _, payload in broker.seen if session == 1 and payload != b"0"]


def test_what_was_in_flight_is_sent_again_under_its_id_as_a_duplicate(folder: Path) -> None:
    broker = FakeBroker(lambda session, _pid, payload: "close" if session == 1 and payload == b"3" else "ack")
    broker.on_publish = lambda session, _pid, payload: (
        ("close" if payload == b"3" else "ignore") if session == 1 else "ack"
    )
    assert publish(folder, broker, 10) == "acked 10 sessions 2\n"
    first = {payload: pid for session, pid, _, payload in broker.seen if session == 1}
    again = {payload: (pid, dup) for session, pid, dup, payload in broker.seen if session == 2}
    assert set(first) == {b"0", b"1", b"2", b"3"}
    assert all(again[payload] == (pid, True) for payload, pid in first.items())


def test_a_lost_session_is_subscribed_again(folder: Path) -> None:
    broker = FakeBroker(lambda session, _pid, _payload: "close" if session == 1 else "ack", present=False)
    publish(folder, broker, 5)
    assert broker.subscribed == [1, 2]


def test_an_acknowledgement_that_never_comes_ends_the_session(folder: Path) -> None:
    broker = FakeBroker(lambda session, _pid, _payload: "ignore" if session == 1 else "ack")
    assert publish(folder, broker, 6) == "acked 6 sessions 2\n"


def test_a_duplicate_acknowledgement_is_harmless(folder: Path) -> None:
    broker = FakeBroker(lambda *_: "twice")
    assert publish(folder, broker, 200) == "acked 200 sessions 1\n"


def test_a_broker_that_accepts_and_kicks_is_not_hammered(folder: Path) -> None:
    """An hour of it: without back-off it would be thousands of connections."""
    broker = FakeBroker(kick=True)
    path = ":".join(map(str, PATHS))
    case = PATHS[2] / "client_case.py"
    process = subprocess.Popen(
        [str(micropython(64)), str(case), str(folder), str(broker.port), "0", "1"],
        env={"MICROPYPATH": f".frozen:{path}"},
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: broker.sessions >= 8, 60, "some connections")
        assert broker.sessions < 12
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("broker", ["away", "mute"])
def test_the_longest_waits_that_can_be_configured_do_not_look_like_a_hanging_task(broker: str) -> None:
    """The supervisor restarts a node whose MQTT task is silent for 15 minutes; both waits may be an hour."""
    assert int(run("beats.py", broker, bits=32, heap="128k")) <= 60
