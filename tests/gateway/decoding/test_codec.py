"""LoRaWAN codecs: JavaScript of the city, which can neither stop the gateway nor fill its memory."""

from __future__ import annotations

import base64
import gc
import json
from pathlib import Path
from typing import Any

import pytest

from adapters.sqlite.buffer import Buffer
from gateway import codec as codec_file
from gateway import codec_engine
from gateway.codec import Codec
from gateway.core import Core, Incoming
from gateway.sources import made_sources
from registry.settings import SourceSettings
from telemetry.errors import Rejected, UsageError
from tests.gateway import cores
from tests.replay.recorded import DATA

NOW = 1_795_168_805_000
DECENTLAB = """
function decodeUplink(input) {
  var b = input.bytes, flags = (b[3] << 8) + b[4], at = 5, data = {};
  function word() { var w = (b[at] << 8) + b[at + 1]; at += 2; return w; }
  if (flags & 1) data.cell = word() / 1000;
  if (flags & 2) {
    var w = []; for (var i = 0; i < 10; i++) w.push(word());
    data.pm1 = w[0] / 10; data.pm2_5 = w[1] / 10; data.pm10 = w[3] / 10;
  }
  return {data: data};
}
"""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of a second of processor time instead of a whole one: many loops are stopped here."""
    monkeypatch.setattr(codec_file, "_SECONDS", 0.1)


def made(folder: Path, script: str) -> Codec:
    path = folder / "codec.js"
    path.write_text(script)
    return Codec(path)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("function decodeUplink(i) { while (true) {} }", "was stopped"),
        ("function decodeUplink(i) { var a = []; while (true) a.push(new Array(10000).fill(1)); }", "stopped"),
        ("function decodeUplink(i) { return decodeUplink(i); }", "stopped"),
        ("function decodeUplink(i) { throw new Error('no'); }", "stopped: Error: no"),
        ("function decodeUplink(i) { return {errors: ['too short']}; }", "says: too short"),
        ("function decodeUplink(i) { return 7; }", "gave no object"),
        ("var x = 1;", "no function decodeUplink"),
        ("JSON.stringify = function() { return '[3]'; }; function decodeUplink(i) {}", "says: "),
    ],
)
def test_a_codec_that_goes_wrong_costs_its_message_only(tmp_path: Path, script: str, why: str) -> None:
    codec = made(tmp_path, script)
    for port in (1, 2):  # also the next message, with a new engine
        with pytest.raises(Rejected, match=why):
            codec.decode(b"\x01\x02", port)


LOOPS_ON_SHORT = "function decodeUplink(i) { while (i.bytes.length < 2) {} return {data: {temperature: i.bytes[0]}}; }"


def test_other_devices_go_on_beside_a_codec_that_loops(tmp_path: Path) -> None:
    (tmp_path / "codec.js").write_text(LOOPS_ON_SHORT)
    source = SourceSettings(family="the_things_stack", city="town", options={"codec": str(tmp_path / "codec.js")})
    other = SourceSettings(family="flat_json", city="town", topic="s/{device}")
    core = Core(Buffer(tmp_path / "gateway.db", 60_000), made_sources([source, other]))
    for n in range(40):
        bad, good = uplink(b"\x01", "bad"), uplink(bytes([n, 0]), f"good-{n}", port=2)
        core.accept([bad, good, Incoming("s/a", b'{"pm10":%d}' % n)], NOW + 1000 * n)
    values = cores.readings(core)
    assert sum(q == "pm10" for q, *_ in values) == sum(q == "temperature" for q, *_ in values) == 40
    why = cores.reasons(core)
    assert sum("it ran for more than 0.1 s" in reason for reason in why) == 3  # the 1st, 12th and 33rd
    assert any("was stopped at an earlier message of port 1; it is tried again after 9 more" in r for r in why)


def test_a_codec_that_works_again_is_run_for_every_message(tmp_path: Path) -> None:
    codec = made(tmp_path, LOOPS_ON_SHORT)
    for n in range(11):
        with pytest.raises(Rejected, match="more than 0.1 s" if not n else "earlier message"):
            codec.decode(b"\x01", 1)
    assert [codec.decode(b"\x05\x01", 1) for _ in range(3)] == [{"temperature": 5}] * 3


def test_a_crash_of_the_engine_costs_its_message_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As QuickJS does now and then where its limit of memory is reached."""
    engine = tmp_path / "engine.py"
    engine.write_text(
        Path(codec_engine.__file__)
        .read_text()
        .replace(
            "    for line in sys.stdin:\n",
            "    for line in sys.stdin:\n        if '[7]' in line:\n            import os\n            os.abort()\n",
        )
    )
    monkeypatch.setattr(codec_engine, "__file__", str(engine))
    codec = made(tmp_path, "function decodeUplink(i) { return {data: {temperature: i.bytes[0]}}; }")
    for port in (1, 2):
        with pytest.raises(Rejected, match="its engine crashed"):
            codec.decode(b"\x07", port)
        with pytest.raises(Rejected, match="earlier message"):
            codec.decode(b"\x07", port)
        assert codec.decode(b"\x05", 3) == {"temperature": 5}


def test_the_engine_ends_with_its_codec(tmp_path: Path) -> None:
    codec = made(tmp_path, "function decodeUplink(i) { return {data: {}}; }")
    process = codec._engine._process  # type: ignore[union-attr]
    del codec
    gc.collect()
    assert process.poll() is not None


def test_a_codec_has_no_way_out(tmp_path: Path) -> None:
    codec = made(
        tmp_path, "function decodeUplink(i) { return {data: {r: typeof require, p: typeof process, s: typeof std}}; }"
    )
    assert codec.decode(b"", 1) == {"r": "undefined", "p": "undefined", "s": "undefined"}


def test_what_is_not_javascript_is_a_sentence_before_anything_begins(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not JavaScript"):
        made(tmp_path, "function (")
    with pytest.raises(UsageError, match="cannot be read"):
        Codec(tmp_path / "missing.js")


@pytest.mark.parametrize("form", ["old", "new"])
def test_both_forms_of_codecs_are_called(tmp_path: Path, form: str) -> None:
    scripts = {
        "old": "function Decoder(bytes, port) { return {temperature: bytes[0] / 10 + port}; }",
        "new": "function decodeUplink(i) { return {data: {temperature: i.bytes[0] / 10 + i.fPort}}; }",
    }
    assert made(tmp_path, scripts[form]).decode(b"\xc8", 1) == {"temperature": 21.0}


def uplink(raw: bytes, device: str = "dl-1", port: int = 1) -> Incoming:
    body: dict[str, Any] = {
        "end_device_ids": {"device_id": device},
        "uplink_message": {
            "received_at": "2026-11-20T10:00:00Z",
            "f_port": port,
            "frm_payload": base64.b64encode(raw).decode(),
        },
    }
    return Incoming(f"v3/app@town/devices/{device}/up", json.dumps(body).encode())


def test_bytes_of_a_real_sensor_are_decoded_and_a_missing_block_is_absent_not_zero(tmp_path: Path) -> None:
    (tmp_path / "codec.js").write_text(DECENTLAB)
    source = SourceSettings(family="the_things_stack", city="town", options={"codec": str(tmp_path / "codec.js")})
    core = Core(Buffer(tmp_path / "gateway.db", 60_000), made_sources([source]))
    vectors = json.loads((DATA / "device_payloads" / "vectors.json").read_text())["decentlab_dl_pm_lorawan"]
    core.accept([uplink(bytes.fromhex(v["hex"]), f"dl-{n}") for n, v in enumerate(vectors)], NOW)
    rows = core.buffer.db.execute("SELECT series, value FROM every_reading").fetchall()
    found = {(core.buffer.table[s].device, core.buffer.table[s].quantity): v for s, v in rows}
    expected = vectors[0]["expected"]
    assert found == {
        ("dl-0", "pm1"): expected["pm1_0"],
        ("dl-0", "pm2_5"): expected["pm2_5"],
        ("dl-0", "pm10"): expected["pm10"],
    }
