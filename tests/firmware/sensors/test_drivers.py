"""Protocol vectors and broken streams: the same answers on MicroPython in both word sizes and on CPython."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from simulators.hardware import pms5003
from simulators.hardware.line import Line
from tests.firmware.interpreters import REPO, run

pytestmark = pytest.mark.timeout(3600)
INTERPRETERS = [64, 32, 0]
CASES = Path(__file__).parents[1] / "vectors.json"
SHARED = REPO.parent / "shared/data/device_payloads"
STREAMS = "100000" if os.environ.get("CITYVITALS_LONG") else "400"


def decoded(path: Path, bits: int) -> list[Any]:
    """What the drivers make of the cases in a file."""
    results: list[Any] = json.loads(run("vectors.py", str(path), bits=bits))
    return results


@pytest.mark.parametrize("bits", INTERPRETERS)
def test_every_protocol_vector_decodes_to_its_stated_values(bits: int) -> None:
    cases = json.loads(CASES.read_text())
    results = decoded(CASES, bits)
    wrong = [(c["say"], c["expect"], got) for c, got in zip(cases, results, strict=True) if c["expect"] != got]
    assert wrong == []


@pytest.mark.parametrize("bits", INTERPRETERS)
@pytest.mark.parametrize("parser", ["pms5003", "sds011", "sps30", "modbus", "openevse", "dsmr_p1", "mhz19", "sml"])
def test_a_parser_accepts_no_broken_frame_and_finds_the_third_good_one(parser: str, bits: int) -> None:
    streams, accepted, false, lost = map(int, run("fuzz.py", parser, STREAMS, bits=bits, timeout=3000).split())
    assert (false, lost) == (0, 0)
    assert accepted > 2 * streams


def test_a_busy_node_does_not_take_what_has_been_waiting_for_a_new_reading(tmp_path: Path) -> None:
    line = Line(tmp_path / "uart1")
    line.send(pms5003.frame(1, 2, 3) * 40)
    assert run("busy_flush.py", str(line.path)) == "0\n"
    line.unplug()


@pytest.mark.skipif(not SHARED.exists(), reason="the recorded frames are not on this machine")
@pytest.mark.parametrize("bits", INTERPRETERS)
def test_recorded_particle_frames_decode_as_recorded(tmp_path: Path, bits: int) -> None:
    recorded = json.loads((SHARED / "vectors.json").read_text())
    cases, expected = [], []
    for frame in recorded["pms5003_frames"]:
        cases.append({"decode": "pms5003", "hex": frame["hex"]})
        good = [[frame[name] for name in PMS_FIELDS]] if frame["checksum_ok"] else []
        expected.append(good)
    for frame in recorded["sds011_frames"]:
        cases.append({"decode": "sds011", "hex": frame["hex"]})
        expected.append([[round(frame["pm25"] * 10), round(frame["pm10"] * 10)]])
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    assert decoded(tmp_path / "cases.json", bits) == expected


PMS_FIELDS = (
    *("pm1_cf1", "pm25_cf1", "pm10_cf1", "pm1_atm", "pm25_atm", "pm10_atm"),
    *("n03", "n05", "n10", "n25", "n50", "n100", "version_err"),
)


@pytest.mark.skipif(not SHARED.exists(), reason="the recorded telegrams are not on this machine")
@pytest.mark.parametrize("bits", INTERPRETERS)
def test_recorded_p1_telegrams_are_taken_only_when_their_check_sum_is_right(tmp_path: Path, bits: int) -> None:
    folder = SHARED / "p1_dlms_telegrams_athom/dsmr"
    names = sorted(path.stem for path in folder.glob("dsmr-[45]*.txt"))
    cases = [{"decode": "dsmr_p1", "text": (folder / f"{name}.txt").read_text() + "\n"} for name in names]
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    taken = {name: got[0] for name, got in zip(names, decoded(tmp_path / "cases.json", bits), strict=True) if got}
    assert {"dsmr-4.0-isk-2", "dsmr-4.2-kfm-1", "dsmr-5.0-isk-1"} <= set(taken)
    assert len(taken) < len(names)
    assert taken["dsmr-5.0-isk-1"][:3] == [
        ["energy_total", 3808351 + 2948827, 0],
        ["energy_export_total", 1285951 + 2876514, 0],
        ["power", -498, 0],
    ]
