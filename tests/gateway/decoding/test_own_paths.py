"""A path that an operator wrote and that leads to nothing is said once, with the message; the rest is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.sqlite.buffer import Buffer
from gateway.core import Core, Incoming
from gateway.sources import made_sources
from registry.settings import SourceSettings
from tests.gateway import cores

NOW = 1_763_640_000_000
POWER = {"quantity": "power", "unit": "W"}
VOLTAGE = {"quantity": "voltage", "unit": "V"}


def core(folder: Path, **source: Any) -> Core:
    settings = {"topic": "m/{device}", "format": "json", "city": "town", **source}
    return Core(Buffer(folder / "g.db", 60_000), made_sources([SourceSettings.model_validate(settings)]))


def send(made: Core, *payloads: str) -> list[str]:
    """All reasons so far, after these messages."""
    for number, payload in enumerate(payloads):
        made.accept([Incoming("m/a", payload.encode())], NOW + 1000 * number)
    return cores.reasons(made)


def test_the_first_message_of_which_nothing_is_read_says_the_paths(tmp_path: Path) -> None:
    made = core(tmp_path, values={"meter.powr": POWER, "meter.u": VOLTAGE})
    [said] = send(made, '{"meter":{"power":5}}', '{"meter":{"power":6}}')
    assert "no value is found in this message at 'meter.powr', 'meter.u'" in said
    assert "correct it under `values`" in said


@pytest.mark.parametrize("values", [{"p": POWER, "volts": VOLTAGE}, {"m.p": POWER, "m.volts": VOLTAGE}])
def test_a_path_beside_others_is_said_after_twenty_messages(tmp_path: Path, values: dict[str, Any]) -> None:
    made = core(tmp_path, values=values)
    payloads = [f'{{"p":{n},"m":{{"p":{n},"voltage":230}}}}' for n in range(60)]
    assert send(made, *payloads[:19]) == []
    [said] = send(made, *payloads[19:])
    assert said.startswith("sample: no value is found in 20 messages at '")
    assert "volts'" in said
    assert len(cores.readings(made)) == 60, "the other values are stored, of the message that says it too"


def test_a_time_that_is_not_there_is_said(tmp_path: Path) -> None:
    made = core(tmp_path, values={"p": POWER}, time={"path": "at"})
    [said] = send(made, *[f'{{"p":{n},"time":1763636400}}' for n in range(25)])
    assert "no time is found in 20 messages at 'at'" in said
    assert "dated by their arrival" in said


def test_paths_that_lead_somewhere_now_and_then_are_right(tmp_path: Path) -> None:
    made = core(tmp_path, values={"p": POWER, "u": VOLTAGE}, time={"path": ["at", "when"]})
    first = ['{"p":1,"at":1763636400}', '{"u":230,"when":1763636460}']
    assert send(made, *first, *['{"p":2}'] * 30) == []


def test_within_records_of_a_list(tmp_path: Path) -> None:
    made = core(tmp_path, each="channels", device="{device}-{key}", values={"w": POWER, "v": VOLTAGE})
    [said] = send(made, *['{"channels":[{"w":5},{"w":6}]}'] * 20)
    assert "at 'v'" in said
    assert "'w'" not in said


def test_a_device_of_a_family_may_leave_values_out(tmp_path: Path) -> None:
    made = core(tmp_path, family="zigbee2mqtt")
    assert send(made, *['{"power":5}'] * 30) == []
    assert len(cores.readings(made)) == 30
