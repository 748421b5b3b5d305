"""DLMS pushes on a node: telegrams of real meters as another program reads them, encrypted ones, and broken ones."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from simulators.hardware import dlms
from tests.firmware.boards import StrictBoard
from tests.firmware.interpreters import REPO, run
from tests.firmware.sensors.test_p1 import by_name, expected

FOLDER = REPO.parent / "shared/data/device_payloads/p1_dlms_telegrams_athom"
KEY, AUTH = "0123456789abcdef0123456789abcdef", "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
PLAIN = dlms.push(dlms.VALUES)
WANTED = {
    "power": 450, "energy_total": 2345678, "energy_export_total": 1500, "voltage": 231.4, "voltage_l2": 230.1,
    "current": 1.95,
}  # fmt: skip


def decoded(tmp_path: Path, cases: list[dict[str, str]], bits: int = 64) -> list[Any]:
    """What the node makes of some pushes."""
    path = tmp_path / "cases.json"
    path.write_text(json.dumps(cases))
    results: list[Any] = json.loads(run("dlms_push.py", str(path), bits=bits, timeout=120))
    return results


def right(text: str) -> bytes:
    """A recorded frame; its numbers were made anonymous, so its checksum is made right."""
    frame = bytes.fromhex("".join(text.split()))
    return frame[:-3] + dlms.x25(frame[1:-3]).to_bytes(2, "little") + b"\x7e"


@pytest.mark.skipif(not FOLDER.exists(), reason="the recorded telegrams are not on this machine")
@pytest.mark.parametrize("bits", [64, 32])
def test_recorded_pushes_give_what_another_program_reads(tmp_path: Path, bits: int) -> None:
    names = sorted(path.stem for path in (FOLDER / "dlms").glob("*.txt"))
    cases = [{"hex": right((FOLDER / f"dlms/{name}.txt").read_text()).hex()} for name in names]
    for name, got in zip(names, decoded(tmp_path, cases, bits), strict=True):
        wanted = expected(json.loads((FOLDER / f"dlms/{name}.json").read_text()))
        found = by_name(got)
        assert wanted, name
        assert {key: found.get(key) for key in wanted} == pytest.approx(wanted, abs=0.011), name


@pytest.mark.parametrize("bits", [64, 32])
def test_frames_of_both_kinds_plain_and_encrypted_give_the_same(tmp_path: Path, bits: int) -> None:
    key, auth = bytes.fromhex(KEY), bytes.fromhex(AUTH)
    pushes = [
        dlms.hdlc(PLAIN), dlms.mbus(PLAIN), dlms.mbus(dlms.ciphered(PLAIN, key)),
        dlms.mbus(dlms.ciphered(PLAIN, key, auth)), dlms.hdlc(dlms.ciphered(PLAIN, key, auth)),
    ]  # fmt: skip
    cases = [{"hex": push.hex(), "key": KEY, "auth": AUTH} for push in pushes]
    for got in decoded(tmp_path, cases, bits):
        assert by_name(got) == pytest.approx(WANTED)


def test_a_wrong_key_a_wrong_tag_and_changed_bytes_give_no_value(tmp_path: Path) -> None:
    key, auth = bytes.fromhex(KEY), bytes.fromhex(AUTH)
    sealed = dlms.mbus(dlms.ciphered(PLAIN, key, auth))
    wrong = [
        {"hex": sealed.hex(), "key": "00" * 16}, {"hex": sealed.hex(), "key": KEY, "auth": "00" * 16},
    ]  # fmt: skip
    rng = random.Random(7)
    for good in (dlms.hdlc(PLAIN), sealed):
        for _ in range(60):
            bad = bytearray(good)
            bad[rng.randrange(1, len(bad) - 1)] ^= 1 << rng.randrange(8)
            wrong.append({"hex": bytes(bad).hex(), "key": KEY, "auth": AUTH})
        wrong += [{"hex": good[: rng.randrange(1, len(good) - 2)].hex(), "key": KEY, "auth": AUTH} for _ in range(30)]
    for case, got in zip(wrong, decoded(tmp_path, wrong), strict=True):
        assert isinstance(got, str) or got == [], case


def test_a_node_reads_an_encrypted_push_with_its_key_and_says_when_it_is_missing(tmp_path: Path) -> None:
    with StrictBoard(tmp_path, "esp32") as board:
        options = board.wire("dlms_push")
        meter = board.devices[0]
        assert isinstance(meter, dlms.DlmsMeter)
        meter.frames = dlms.mbus(dlms.ciphered(PLAIN, bytes.fromhex(KEY)))
        without = board.run("read_driver.py", json.dumps(options), "1").stdout
        got = json.loads(board.run("read_driver.py", json.dumps({**options, "key": KEY}), "3").stdout)
    assert "encrypted: give its key" in without
    assert by_name(got) == pytest.approx(WANTED)
