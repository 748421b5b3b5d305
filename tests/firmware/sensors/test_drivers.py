"""Protocol vectors and broken streams: the same answers on MicroPython in both word sizes and on CPython."""

import ast
import json
import os
from pathlib import Path
from typing import Any

import pytest

from edge.tools import drivers
from simulators.hardware import pms5003
from simulators.hardware.line import Line
from tests.firmware.interpreters import REPO, run
from tests.firmware.models import CASES

pytestmark = pytest.mark.timeout(3600)
INTERPRETERS = [64, 32, 0]
# A folder with a file: a removed driver leaves its compiled ones behind.
FOLDERS = sorted(path for path in (REPO / "tests/firmware").glob("*/cases/*/") if any(path.glob("*.*")))
SHARED = REPO.parent / "shared/data/device_payloads"
STREAMS = "100000" if os.environ.get("CITYVITALS_LONG") else "400"


def decoded(folder: Path, path: Path, bits: int) -> list[Any]:
    """What the module of a case folder makes of the vectors in a file."""
    results: list[Any] = json.loads(run("cases/vectors.py", str(folder), str(path), bits=bits))
    return results


def having(name: str) -> Any:
    """The case folders with a file, as parameters."""
    return [pytest.param(folder, id=folder.name) for folder in FOLDERS if (folder / name).exists()]


def top(path: Path) -> set[str]:
    """Functions and classes at the top of a file."""
    return {item.name for item in ast.parse(path.read_text()).body if isinstance(item, ast.FunctionDef | ast.ClassDef)}


def test_each_driver_has_its_case_folder_and_each_case_folder_its_file() -> None:
    assert sorted(path.name for path in FOLDERS if path.parent == CASES) == sorted(drivers.drivers())
    files = {folder: REPO / "edge/firmware" / folder.parents[1].name / f"{folder.name}.py" for folder in FOLDERS}
    assert [str(path) for path in files.values() if not path.exists()] == []
    for folder, path in files.items():
        names = top(path)
        if "values" in names:
            assert (folder / "vectors.json").exists(), f"{path.name} has `values`: write {folder}/vectors.json"
        if names & {"Parser", "frames"}:
            assert (folder / "stream.py").exists(), f"{path.name} parses a byte stream: write {folder}/stream.py"


@pytest.mark.parametrize("bits", INTERPRETERS)
@pytest.mark.parametrize("folder", having("vectors.json"))
def test_every_protocol_vector_decodes_to_its_stated_values(folder: Path, bits: int) -> None:
    cases = json.loads((folder / "vectors.json").read_text())
    results = decoded(folder, folder / "vectors.json", bits)
    wrong = [(c["say"], c["expect"], got) for c, got in zip(cases, results, strict=True) if c["expect"] != got]
    assert (wrong, bool(cases)) == ([], True)


@pytest.mark.parametrize("bits", INTERPRETERS)
@pytest.mark.parametrize("folder", having("stream.py"))
def test_a_parser_accepts_no_broken_frame_and_finds_the_third_good_one(folder: Path, bits: int) -> None:
    done = run("cases/fuzz.py", str(folder), STREAMS, bits=bits, timeout=3000)
    streams, accepted, false, lost = map(int, done.split())
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
    frames = recorded["pms5003_frames"]
    good = [[[frame[name] for name in PMS_FIELDS]] if frame["checksum_ok"] else [] for frame in frames]
    assert recorded_as(tmp_path, "pms5003", frames, bits) == good
    frames = recorded["sds011_frames"]
    good = [[[round(frame["pm25"] * 10), round(frame["pm10"] * 10)]] for frame in frames]
    assert recorded_as(tmp_path, "sds011", frames, bits) == good


def recorded_as(tmp_path: Path, driver: str, frames: list[dict[str, Any]], bits: int) -> list[Any]:
    """What a driver makes of recorded frames."""
    path = tmp_path / f"{driver}.json"
    path.write_text(json.dumps([{"hex": frame["hex"]} for frame in frames]))
    return decoded(CASES / driver, path, bits)


PMS_FIELDS = (
    *("pm1_cf1", "pm25_cf1", "pm10_cf1", "pm1_atm", "pm25_atm", "pm10_atm"),
    *("n03", "n05", "n10", "n25", "n50", "n100", "version_err"),
)


@pytest.mark.skipif(not SHARED.exists(), reason="the recorded telegrams are not on this machine")
@pytest.mark.parametrize("bits", INTERPRETERS)
def test_recorded_p1_telegrams_are_taken_only_when_their_check_sum_is_right(tmp_path: Path, bits: int) -> None:
    folder = SHARED / "p1_dlms_telegrams_athom/dsmr"
    names = sorted(path.stem for path in folder.glob("dsmr-[45]*.txt"))
    cases = [{"text": (folder / f"{name}.txt").read_text() + "\n"} for name in names]
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    taken = {
        name: got[0]
        for name, got in zip(names, decoded(CASES / "dsmr_p1", tmp_path / "cases.json", bits), strict=True)
        if got
    }
    assert {"dsmr-4.0-isk-2", "dsmr-4.2-kfm-1", "dsmr-5.0-isk-1"} <= set(taken)
    assert len(taken) < len(names)
    assert taken["dsmr-5.0-isk-1"][:3] == [
        ["energy_total", 3808351 + 2948827, 0],
        ["energy_export_total", 1285951 + 2876514, 0],
        ["power", -498, 0],
    ]
