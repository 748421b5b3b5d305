"""P1 telegrams of many meter types, recorded and from specifications: what a node reports of each."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.firmware.interpreters import REPO, run
from tests.firmware.models import CASES

FOLDER = REPO.parent / "shared/data/device_payloads/p1_dlms_telegrams_athom/dsmr"
NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))
TYPES = 13  # different meter types among them, by their identification
PHASES = (("l1", "", "21"), ("l2", "_l2", "41"), ("l3", "_l3", "61"))

E_ON = """/AUX59902759048

0-0:1.0.0(240101120000W)
1-0:1.8.0(000173.640*kWh)
1-0:1.8.1(000047.719*kWh)
1-0:1.8.2(000125.921*kWh)
1-0:2.8.0(000627.177*kWh)
1-0:2.8.1(000401.829*kWh)
1-0:2.8.2(000225.348*kWh)
1-0:1.7.0(00.264*kW)
!
"""


def decoded(tmp_path: Path, cases: list[dict[str, Any]], bits: int = 64) -> list[Any]:
    """What the driver makes of some telegrams, whose checksums are made right first."""
    path = tmp_path / "cases.json"
    path.write_text(json.dumps([{"crc": "made", **case} for case in cases]))
    results: list[Any] = json.loads(run("cases/vectors.py", str(CASES / "dsmr_p1"), str(path), bits=bits))
    return results


def by_name(values: list[list[Any]]) -> dict[str, float]:
    """Values as numbers."""
    return {value[0]: round(value[1] / 10 ** value[2], 6) for value in values}


def expected(parsed: dict[str, Any]) -> dict[str, float]:
    """The same from the other parser's own decode of the telegram (Wh, W, V, A)."""
    electricity = parsed["electricity"]
    out: dict[str, float] = {}
    for ours, theirs in (("energy_total", "received"), ("energy_export_total", "returned")):
        tariffs = [t[theirs] for t in electricity.get("tariffs", {}).values() if theirs in t]
        whole = electricity.get("total", {}).get(theirs)
        if whole is not None or tariffs:
            out[ours] = whole if whole is not None else sum(tariffs)
    taken, given = electricity.get("powerReceivedTotal"), electricity.get("powerReturnedTotal")
    if taken is not None:
        out["power"] = taken - (given or 0)
    for quantity in ("voltage", "current"):
        for phase, suffix, _ in PHASES:
            if phase in electricity.get(quantity, {}):
                out[quantity + suffix] = electricity[quantity][phase]
    for phase, _, _ in PHASES:
        plus, minus = electricity.get("powerReceived", {}).get(phase), electricity.get("powerReturned", {}).get(phase)
        if plus is not None or minus is not None:
            out[f"power_{phase}"] = (plus or 0) - (minus or 0)
    return out


@pytest.mark.skipif(not FOLDER.exists(), reason="the recorded telegrams are not on this machine")
def test_telegrams_of_thirteen_meter_types_give_the_values_that_another_parser_finds(tmp_path: Path) -> None:
    texts = {name: (FOLDER / f"{name}.txt").read_text() for name in NAMES}
    texts = {name: text if "\n!" in text else text + "\n!\n" for name, text in texts.items()}
    results = decoded(tmp_path, [{"text": text} for text in texts.values()])
    kinds = {text.strip().splitlines()[0].split()[0] for text in texts.values()}
    wrong = {}
    for (name, _), telegrams in zip(texts.items(), results, strict=True):
        got = by_name(telegrams[0])
        want = expected(json.loads((FOLDER / f"{name}.json").read_text()))
        if bad := {key: (got.get(key), value) for key, value in want.items() if got.get(key) != pytest.approx(value)}:
            wrong[name] = bad
    assert wrong == {}
    assert len(kinds) >= TYPES, kinds


@pytest.mark.parametrize("bits", [64, 32, 0])
def test_a_total_register_counts_and_its_tariffs_beside_it_do_not(tmp_path: Path, bits: int) -> None:
    got = by_name(decoded(tmp_path, [{"text": E_ON}], bits)[0][0])
    assert got["energy_total"] == 173640
    assert got["energy_export_total"] == 627177


@pytest.mark.skipif(not FOLDER.exists(), reason="the recorded telegrams are not on this machine")
def test_gas_water_and_failures_come_with_the_time_of_their_meter(tmp_path: Path) -> None:
    names = ["dsmr-5.0-isk-1", "dsmr-luxembourgh-spec-example", "emucs-p1-v2.1.1-spec-example-1", "dsmr-2.2-kfm-1"]
    results = decoded(tmp_path, [{"text": (FOLDER / f"{name}.txt").read_text() + "\n"} for name in names])
    isk, lux, belgian, old = ([value for value in result[0] if len(value) > 3] for result in results)
    assert ["gas_total", 1569646, 3, 1541509210] in isk  # 2018-11-06 14:00:10 CET
    assert ["power_failure", 2451, 0, 1527594990] in isk  # ended 2018-05-29 13:56:30 CEST
    assert ["gas_total", 6, 3, 1594024300] in lux
    assert ["meter-4/gas_total", 28103, 3, 1594024140] in lux
    assert [value[:2] for value in belgian] == [["gas_total", 112384], ["water_total", 872234]]
    assert old == []  # its time does not say whether it is summer
    assert ["gas_total", 124477, 3] in results[3][0]


@pytest.mark.skipif(not FOLDER.exists(), reason="the recorded telegrams are not on this machine")
def test_an_impossible_entry_of_the_failure_log_is_left_out(tmp_path: Path) -> None:
    text = (FOLDER / "dsmr-4.2-kfm-1.txt").read_text() + "\n"
    assert "power_failure" not in by_name(decoded(tmp_path, [{"text": text}])[0][0])


def test_a_checksum_without_its_leading_zeros_is_right(tmp_path: Path) -> None:
    for tail in range(4096):
        body = f"/ABC5X\r\n\r\n1-0:1.8.0({tail:06d}.000*kWh)\r\n!"
        crc = _crc(body.encode())
        if crc < 0x1000:
            break
    results = decoded(tmp_path, [{"text": f"{body}{crc:X}\r\n", "crc": True}])
    assert by_name(results[0][0])["energy_total"] == tail * 1000


def _crc(data: bytes) -> int:
    """CRC-16/ARC, bit by bit."""
    crc = 0
    for byte in data:
        for bit in range(8):
            odd = (crc ^ byte >> bit) & 1
            crc = crc >> 1 ^ (0xA001 if odd else 0)
    return crc


KEY, AUTH = "0123456789abcdef0123456789abcdef", "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf"


def sealed(text: bytes, auth: str = AUTH) -> str:
    """A frame made with another implementation of AES-GCM: tag of 12 bytes over the security byte and the key."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    title, counter = b"TESTMETR", b"\x00\x00\x00\x2a"
    cipher = Cipher(algorithms.AES(bytes.fromhex(KEY)), modes.GCM(title + counter)).encryptor()
    cipher.authenticate_additional_data(b"\x30" + bytes.fromhex(auth))
    content = cipher.update(text) + cipher.finalize() + cipher.tag[:12]
    size = len(content) + 5
    return (b"\xdb\x08" + title + b"\x82" + size.to_bytes(2, "big") + b"\x30" + counter + content).hex()


def opened(tmp_path: Path, frame: str, *keys: str, bits: int = 64) -> str:
    """What the firmware makes of a frame in hexadecimal."""
    (tmp_path / "frame.txt").write_text(frame)
    return run("ciphered.py", str(tmp_path / "frame.txt"), *keys, bits=bits).strip()


@pytest.mark.parametrize("bits", [64, 32])
def test_an_encrypted_telegram_is_decrypted_and_its_tag_is_checked(tmp_path: Path, bits: int) -> None:
    frame = sealed(E_ON.encode())
    assert opened(tmp_path, frame, KEY, AUTH, bits=bits) == E_ON.strip()
    assert opened(tmp_path, frame, KEY, bits=bits) == E_ON.strip()
    assert opened(tmp_path, frame, KEY, "00" * 16, bits=bits) == ""


@pytest.mark.skipif(not FOLDER.exists(), reason="the recorded telegrams are not on this machine")
def test_the_encrypted_example_of_luxembourg_is_read(tmp_path: Path) -> None:
    frame = "".join((FOLDER / "encrypted/dsmr-luxembourgh-spec-example-without-aad.txt").read_text().split())
    plain = opened(tmp_path, frame, KEY)
    got = by_name(decoded(tmp_path, [{"text": plain + "\r\n"}])[0][0])
    assert (got["energy_total"], got["energy_export_total"], got["voltage"]) == (25653, 40, 233.0)
