"""Telegrams of real meters: what another program read from them is what is read here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.formats import p1
from gateway.formats.dlms import telegram as dlms_telegram
from telemetry.errors import Rejected
from telemetry.stamps import read_stamp
from telemetry.units import between
from tests.replay.recorded import DATA

FOLDER = DATA / "device_payloads" / "p1_dlms_telegrams_athom"
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
VALID = {"dsmr-4.0-isk-2", "dsmr-4.2-kfm-1", "dsmr-5.0-isk-1"}  # of which the checksum was not made wrong by hand

if not FOLDER.is_dir():
    pytest.skip("the shared data is not beside this repository", allow_module_level=True)


def in_unit(found: Any, unit: str) -> float:
    """A value with its unit, in another."""
    how = between(found["unit"], unit)
    assert how is not None, found
    return how.apply(float(found["value"]) * 10.0 ** found.get("multiplier", 0))


def phases(values: dict[str, Any], unit: str, *codes: str) -> dict[str, float]:
    return {f"l{n}": in_unit(values[c], unit) for n, c in enumerate(codes, 1) if c in values}


def electricity(values: dict[str, Any]) -> dict[str, Any]:
    """The figures of the other program's decode, from ours."""
    found: dict[str, Any] = {}
    for name, code in (("powerReceivedTotal", "1.7.0"), ("powerReturnedTotal", "2.7.0")):
        if code in values:
            found[name] = in_unit(values[code], "W")
    for name, unit, codes in (
        ("voltage", "V", ("32.7.0", "52.7.0", "72.7.0")),
        ("current", "A", ("31.7.0", "51.7.0", "71.7.0")),
        ("powerReceived", "W", ("21.7.0", "41.7.0", "61.7.0")),
        ("powerReturned", "W", ("22.7.0", "42.7.0", "62.7.0")),
    ):
        if several := phases(values, unit, *codes):
            found[name] = several
    for name, tariff in (("total", "0"), ("1", "1"), ("2", "2")):
        registers = {
            what: in_unit(values[code], "Wh")
            for what, code in (("received", f"1.8.{tariff}"), ("returned", f"2.8.{tariff}"))
            if code in values
        }
        if registers and name == "total":
            found[name] = registers
        elif registers:
            found.setdefault("tariffs", {})[name] = registers
    return found


def same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    for name, value in expected.items():
        if isinstance(value, dict):
            same(found[name], value)
        elif name != "currentTariff":
            assert found[name] == pytest.approx(value, abs=1e-6), name


@pytest.mark.parametrize("path", sorted((FOLDER / "dsmr").glob("*.txt")), ids=lambda p: p.stem)
def test_a_p1_telegram_gives_the_stated_values(path: Path) -> None:
    payload = path.read_bytes()
    expected = json.loads(path.with_suffix(".json").read_text())
    if expected.get("crcValid") is False and path.stem not in VALID and "!" in payload.decode("latin1"):
        with pytest.raises(Rejected, match="wrong checksum"):
            p1.telegram(payload)
    found = p1.telegram(payload, checked=False)
    same(electricity(found["values"]), expected["electricity"])
    if (stamp := expected.get("metadata", {}).get("timestamp")) and found["time"]:  # local time there, without a zone
        assert read_stamp(found["time"], AMSTERDAM) in (
            read_stamp(stamp.removesuffix("Z"), AMSTERDAM),
            read_stamp(stamp.removesuffix("Z"), AMSTERDAM) - 3_600_000,
        )
    for channel, meter in expected.get("mBus", {}).items():
        if "value" in meter and meter.get("unit") == "m3":
            code = next(
                c for c in (f"0-{channel}:24.2.1", f"0-{channel}:24.2.3", f"0-{channel}:24.3.0") if c in found["codes"]
            )
            assert float(found["codes"][code]["value"]) == pytest.approx(meter["value"])


@pytest.mark.parametrize("name", sorted(VALID))
def test_a_right_checksum_is_found_right_and_a_changed_byte_is_not(name: str) -> None:
    payload = (FOLDER / "dsmr" / f"{name}.txt").read_bytes()
    p1.telegram(payload)
    place = payload.index(b"(", 200) + 1
    changed = payload[:place] + bytes([payload[place] ^ 1]) + payload[place + 1 :]
    with pytest.raises(Rejected, match="wrong checksum"):
        p1.telegram(changed)


def encrypted(name: str) -> bytes:
    return bytes.fromhex("".join((FOLDER / "dsmr" / "encrypted" / f"{name}.txt").read_text().split()))


KEY = "0123456789ABCDEF0123456789ABCDEF"


def test_an_encrypted_telegram_without_its_key_is_kept_with_a_sentence() -> None:
    with pytest.raises(Rejected, match="encrypted telegram: give its key"):
        p1.reader({})(encrypted("dsmr-luxembourgh-spec-example-with-aad"), {})


@pytest.mark.parametrize(
    "name", ["dsmr-luxembourgh-spec-example-with-aad", "dsmr-luxembourgh-spec-example-without-aad"]
)
def test_an_encrypted_telegram_is_the_plain_one(name: str) -> None:
    [found] = p1.reader({"key": KEY, "checksum": False})(encrypted(name), {})
    plain = p1.telegram((FOLDER / "dsmr" / "dsmr-luxembourgh-spec-example.txt").read_bytes(), checked=False)
    assert found["codes"] == plain["codes"]
    with pytest.raises(Rejected, match=r"key is wrong|not a P1 telegram"):
        p1.reader({"key": "00" * 16, "checksum": False})(encrypted(name), {})


@pytest.mark.parametrize("path", sorted((FOLDER / "dlms").glob("*.txt")), ids=lambda p: p.stem)
def test_a_dlms_push_gives_the_stated_values(path: Path) -> None:
    payload = bytes.fromhex("".join(path.read_text().split()))
    expected = json.loads(path.with_suffix(".json").read_text())
    if not expected["crcValid"]:
        with pytest.raises(Rejected, match="checksum"):
            dlms_telegram(payload)
    found = dlms_telegram(payload, checked=False)
    same(electricity(found["values"]), expected["electricity"])


def test_an_austrian_message_after_decryption() -> None:
    payload = bytes.fromhex((FOLDER / "m-bus" / "austria-decrypted-1.txt").read_text().strip())
    values = dlms_telegram(payload)["values"]
    assert in_unit(values["1.8.0"], "Wh") == 0x3289
    assert in_unit(values["32.7.0"], "V") == pytest.approx(233.7)
    assert values["13.7.0"] == {"value": 1000, "multiplier": -3}


def test_an_austrian_message_in_m_bus_frames_is_decrypted() -> None:
    text = (FOLDER / "m-bus" / "austria-example-1.txt").read_text().split()
    key = text[-1]
    payload = bytes.fromhex("".join(text[:-2]))
    plain = bytes.fromhex((FOLDER / "m-bus" / "austria-decrypted-1.txt").read_text().strip())
    found = dlms_telegram(payload, checked=False, key=bytes.fromhex(key))
    assert found == dlms_telegram(plain)
    with pytest.raises(Rejected, match="give its key"):
        dlms_telegram(payload, checked=False)
