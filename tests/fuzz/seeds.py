"""Valid payloads, from which the fuzzers start."""

from __future__ import annotations

import tomllib
from pathlib import Path

import cbor2

from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import MINUTE
from telemetry.wire import encode

NOW = 1_709_294_400_000

SENML = [
    b'[{"bt":1709290000,"n":"no2","u":"ug/m3","v":21.5,"boot":3,"seq":17},{"n":"pm2_5","u":"ug/m3","v":4}]',
    b'[{"bn":"urn:dev:mac:00:","bt":1709290000.5,"bu":"kWh","bv":10,"n":"energy_total","v":1.25,"t":-30}]',
    b'[{"up":120,"sent":180,"boot":1,"seq":0,"n":"temperature","u":"Cel","v":-4.5},{"n":"humidity","u":"%RH","v":80}]',
    b'[{"n":"session_energy","u":"kWh","v":7.5,"bt":1709280000,"end":1709290000,"key":"a|b","boot":2,"seq":9}]',
    b'[{"bt":1709290000,"n":"pm10","u":"ug/m3","v":-999,"boot":4,"seq":0,"pboot":3,"pseq":17}]',
]
FLAT = [
    b'{"time":"2024-03-01T11:00:00Z","no2":{"value":20,"unit":"ppb"},"temperature":{"value":70,"unit":"degF"}}',
    b'{"time":1709290000,"session_energy":7.5,"session":"x1","end":1709293600}',
    b'{"energy_total":1234.5,"power":"12","rssi":-70}',
    b'{"time":"2024-03-01T11:00:00","boot":3,"seq":17,"no2":{"value":-999,"unit":"ug/m3"},"pm10":{"value":1,"unit":5}}',
    b'{"time":1709290000,"boot":3,"seq":18,"no2":20}',
]
SENML_CBOR = [
    cbor2.dumps([{-3: 1709290000, 0: "no2", 1: "ug/m3", 2: 21.5}, {0: "pm2_5", 1: "ug/m3", 2: 4}]),
    cbor2.dumps([{-2: "urn:dev:mac:00:", -3: 1709290000.5, -4: "kWh", -5: 10, 0: "energy_total", 2: 1.25, 6: -30}]),
    cbor2.dumps([{0: "no2", 1: "ug/m3", 2: -999}, {0: "humidity", 1: "%RH", 2: 80}]),
]

MADE = {"senml": SENML, "flat_json": FLAT, "senml_cbor": SENML_CBOR}
CASES = Path(__file__).parents[1] / "gateway" / "cases"


def seeds_of(form: str) -> list[bytes]:
    """Those made above, else the payloads of the format's case file from which something is stored."""
    if form in MADE:
        return MADE[form]
    cases = tomllib.loads((CASES / f"{form}.toml").read_text(encoding="utf-8"))["case"]
    good = [case for case in cases if case.get("stored")]
    return [bytes.fromhex(case["hex"]) if "hex" in case else case["payload"].encode() for case in good]


def windows() -> bytes:
    table = SeriesTable([Series("aba", "s1", "no2"), Series("aba", "m1", "energy_total")])
    r = Readings.of([0, 0, 1, 1], [NOW, NOW + 1000, NOW, NOW + MINUTE], [1.0, 2.5, 100.0, 101.0])
    return encode("aba", MINUTE, fold(r, MINUTE, table.modulus(r.series)), table, message=7)
