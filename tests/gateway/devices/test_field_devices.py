"""Payloads of the field that could not be read once, with their right results: the shared cases of devices and formats.

The file has payload, topic and the configuration of its day. Where a family or new keys say the same in another way,
the source beside the result is used instead; the payload stays.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.sqlite.buffer import Buffer
from gateway.core import Core, Incoming
from gateway.sources import made_sources
from registry.settings import SourceSettings
from telemetry.periods import iso
from tests.replay.recorded import DATA

NOW = 1_795_168_805_000  # 2026-11-20T10:00:05Z
T = "2026-11-20T10:00:00Z"
FIELD = DATA / "field" / "cases.jsonl"
ANY = None  # dated by its arrival

# id -> (keys of the source that the case's own configuration needs, readings as quantity, value, time)
WITH_KEYS: dict[str, tuple[dict[str, Any], list[tuple[str, float, str | None]]]] = {
    "nested-tasmota-energy": (
        {"family": "tasmota"},
        [("energy_total", 312.604, T), ("power", 148, T), ("voltage", 231, T), ("current", 0.66, T)],
    ),
    "nested-tasmota-scd40": ({"family": "tasmota"}, [("co2", 655, T), ("humidity", 41.5, T), ("temperature", 21.5, T)]),
    "nested-shelly-switch": (
        {"family": "shelly_gen2"},
        [("power", 41.2, ANY), ("voltage", 229.8, ANY), ("current", 0.19, ANY), ("energy_total", 5.1234, ANY)],
    ),
    "nested-tts": (
        {"family": "the_things_stack"},
        [("pm2_5", 7.5, "2026-11-20T10:00:00.123Z"), ("temperature", 4.25, "2026-11-20T10:00:00.123Z")],
    ),
    "nested-chirpstack": ({"family": "chirpstack"}, [("water_total", 12.345, "2026-11-20T10:00:00.500Z")]),
    "nested-airgradient-channels": (
        {"family": "airgradient"},
        [("pm2_5", 7, ANY), ("temperature", 18.2, ANY), ("rssi", -60, ANY)],
    ),
    "nested-ngsi-phases": ({"family": "ngsi_ld"}, [("energy_total", 1500.5, T), ("power", 3000, T)]),
    "nested-amsleser": (
        {"family": "amsreader", "topic": "pow/{device}"},
        [("power", 1450, T), ("energy_total", 8812.3, T)],
    ),
    "scalar-esphome": ({"family": "esphome"}, [("temperature", 21.5, ANY)]),
    "scalar-shelly1-power": ({"family": "shelly_gen1"}, [("power", 235.12, ANY)]),
    "scalar-shelly1-total": ({"family": "shelly_gen1"}, [("energy_total", 1024.5382, ANY)]),
    "scalar-openevse": ({"family": "openevse"}, [("current", 15.9, ANY)]),
    "scalar-emon": ({"family": "emon"}, [("power", 100, ANY)]),
    "scalar-ha-statestream": ({"family": "homeassistant", "prefix": "ha"}, [("temperature", 21.5, ANY)]),
    "scalar-json-string": (
        {"topic": "a/{device}/{name}", "format": "plain", "inside": [""], "catalogue": True},
        [("temperature", 21.5, ANY)],
    ),
    "device-rtl433": ({"family": "rtl_433"}, [("temperature", 15.1, T), ("temperature", 2.1, T)]),
    "device-z2m-space": (
        {"family": "zigbee2mqtt", "devices": {"Living Room": "room-1"}},
        [("temperature", 21.5, ANY)],
    ),
    "device-z2m-umlaut": ({"family": "zigbee2mqtt", "devices": {"Küche": "room-2"}}, [("temperature", 21.5, ANY)]),
    "device-long-urn": (
        {
            "family": "ngsi_ld",
            "devices": {"urn:ngsi-ld:AirQualityObserved:city-of-example:station-0000000000000000001": "st-1"},
        },
        [("pm2_5", 5, ANY)],
    ),
    "unitcfg-shelly-wh": ({"family": "shelly_gen2"}, [("energy_total", 2776.17511, ANY)]),
    "unitcfg-goe-wh": ({"family": "goe"}, [("energy_total", 12345.678, T)]),
    "unitcfg-purpleair-f": ({"family": "purpleair"}, [("pm2_5", 5.1, T), ("temperature", 18.3333333333, T)]),
    "unitcfg-pf-percent": (
        {"rename": {}, "names": {"PF1": {"quantity": "power_factor", "unit": "%"}}},
        [("power_factor", 0.85, T)],
    ),
    "unitcfg-evse-ma": (
        {"family": "openevse", "prefix": "evse"},
        [("current", 4.9, T), ("energy_total", 998, T)],
    ),
    "text-decimal-comma": ({"decimal_comma": True}, [("temperature", 21.5, T)]),
    "time-local": ({"zone": "city"}, [("power", 5, T)]),
    "collision-channels": ({"combine": {"power": "sum"}}, [("power", 600, T)]),
    "collision-channel-ab": ({"combine": {"pm2_5": "mean"}}, [("pm2_5", 26.55, T)]),
    "p1-telegram": (
        {"family": "p1"},
        [("energy_total", 825.5, T), ("energy_export_total", 30.75, T), ("power", 244, T), ("voltage", 230.1, T)],
    ),
    "ocpp16-metervalues": (
        {"family": "ocpp"},
        [("energy_total", 70.14, T), ("power", 7148.9, T), ("current", 30.7, T)],
    ),
    "ocpp16-default-measurand": ({"family": "ocpp"}, [("energy_total", 70.14, T)]),
    "ngsi-normalised": ({"family": "ngsi_ld"}, [("no2", 69, T), ("co", 0.5, T), ("humidity", 54, T)]),
    "ngsi-keyvalues-local": ({"family": "ngsi_ld"}, [("no2", 69, T)]),
    "sparkplug-birth": ({"family": "sparkplug_b"}, [("temperature", 20.5, T)]),
    "noise-z2m-plug": (
        {"family": "zigbee2mqtt"},
        [("current", 0.21, T), ("energy_total", 12.34, T), ("power", 41, T), ("voltage", 235, T)],
    ),
    "novalue-power-65535": ({"none": [65535]}, []),
}

# id -> readings with the configuration as it is in the file
AS_IT_IS: dict[str, list[tuple[str, float, str | None]]] = {
    "unitlabel-unitCode": [("no2", 40, T)],
    "unitlabel-uom": [("energy_total", 4.3, T)],
    "unitlabel-Unit": [("energy_total", 4.3, T)],
    "unitlabel-multiplier": [("energy_total", 4300, T)],
    "text-strings": [("temperature", 21.5, T), ("humidity", 47, T)],
    "text-z2m": [("power", 100, ANY), ("voltage", 230, ANY)],
    "text-value-string": [("power", 1200, T)],
    "time-epoch-text": [("power", 5, T)],
    "time-epoch-ms-text": [("power", 5, T)],
    "time-epoch-us": [("power", 5, T)],
    "time-leap-second": [("power", 5, "2017-01-01T00:00:00Z")],
    "time-hour24": [("power", 5, "2026-11-20T00:00:00Z")],
    "time-rfc1123": [("power", 5, T)],
    "time-utc-word": [("power", 5, T)],
    "time-interval": [("power", 5, "2026-11-20T09:00:00Z")],
    "batch-array": [("power", 5, T), ("power", 6, "2026-11-20T10:01:00Z")],
    "batch-concat": [("power", 5, T), ("power", 6, "2026-11-20T10:01:00Z")],
    "batch-readings": [("power", 5, T), ("power", 6, "2026-11-20T10:01:00Z")],
    "unit-pm2_5-0": [("pm2_5", 12, T)],
    "unit-no2-2": [("no2", 40, T)],
    "unit-no2-3": [("no2", 40, T)],
    "unit-co-5": [("co", 0.466, T)],
    "unit-pressure-6": [("pressure", 1013, T)],
    "unit-temperature-8": [("temperature", 20, T)],
    "unit-power-9": [("power", 1_200_000, T)],
    "unit-energy_total-11": [("energy_total", 1, T)],
    "unit-energy_total-12": [("energy_total", 1, T)],
    "unit-water_total-14": [("water_total", 0.3785411784, T)],
    "unit-humidity-15": [("humidity", 54, T)],
    "c-nan": [("humidity", 45.1, T)],
    "c-minus-nan": [("voltage", 230, T)],
    "c-nul-end": [("power", 230.5, T)],
    "c-nul-padding": [("power", 230.5, T)],
    "c-leading-zero": [("power", 123, T)],
    "noise-null": [("temperature", 21.5, ANY)],
}

# id -> a part of the reason with which the message is kept; nothing is stored
REFUSED = {
    "time-local": "has no zone",
    "time-local-skipped": "does not exist in Europe/Berlin",
    "text-decimal-comma": "decimal comma",
    "collision-channels": "'power' has 3 values in one message",
    "collision-native": "'power' has 2 values in one message",
    "collision-channel-ab": "'pm2_5' has 2 values in one message",
    "sparkplug-alias": "has no name yet",
}
REFUSED_KEYS: dict[str, dict[str, Any]] = {
    "time-local-skipped": {"zone": "city"},
    "sparkplug-alias": {"family": "sparkplug_b"},
}


def cases() -> dict[str, Any]:
    if not FIELD.is_file():
        pytest.skip("the shared data is not beside this repository", allow_module_level=True)
    return {c["id"]: c for c in map(json.loads, FIELD.read_text().splitlines())}


CASES = cases()


def run(folder: Path, case: dict[str, Any], keys: dict[str, Any]) -> Core:
    [own] = tomllib.loads(case["config"])["gateway"]["source"]
    source = {"city": "town", **keys} if "family" in keys else {**own, **keys}
    made = made_sources([SourceSettings.model_validate(source)], b"key", lambda _: ZoneInfo("Europe/Berlin"))
    core = Core(Buffer(folder / "gateway.db", 60_000), made)
    given = case.get("payload")
    texts = [given] if isinstance(given, str) else given or []
    payloads = [t.encode() for t in texts] or [bytes.fromhex(case["payload_hex"])]
    core.accept([Incoming(case["topic"], p) for p in payloads], NOW + 120_000 if "batch" in case["id"] else NOW)
    return core


def rows(core: Core) -> list[tuple[str, float, str | None]]:
    found = core.buffer.db.execute("SELECT series, value, t, key FROM every_reading WHERE flag = 0 ORDER BY t, key")
    return [(core.buffer.table[s].quantity, v, ANY if key else iso(t)) for s, v, t, key in found]


def same(found: list[Any], wanted: list[Any]) -> None:
    order = sorted(found, key=lambda r: (r[0], r[2] or "", r[1]))
    expected = sorted(wanted, key=lambda r: (r[0], r[2] or "", r[1]))
    assert [(q, t) for q, _, t in order] == [(q, t) for q, _, t in expected]
    assert [v for _, v, _ in order] == pytest.approx([v for _, v, _ in expected], rel=1e-6)


def kept(core: Core) -> list[str]:
    return [r.reason for r in core.buffer.rejects.newest() if not r.reason.startswith("sample:")]


@pytest.mark.parametrize("name", list(WITH_KEYS))
def test_a_family_or_its_keys_read_what_could_not_be_read(tmp_path: Path, name: str) -> None:
    keys, wanted = WITH_KEYS[name]
    core = run(tmp_path, CASES[name], keys)
    same(rows(core), wanted)
    assert kept(core) == []


@pytest.mark.parametrize("name", list(AS_IT_IS))
def test_a_message_is_read_with_the_configuration_it_had(tmp_path: Path, name: str) -> None:
    core = run(tmp_path, CASES[name], {})
    same(rows(core), AS_IT_IS[name])
    assert len(kept(core)) == (1 if name in ("c-nan", "c-minus-nan") else 0)


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_cannot_be_right_is_kept_with_its_reason(tmp_path: Path, name: str) -> None:
    core = run(tmp_path, CASES[name], REFUSED_KEYS.get(name, {}))
    assert rows(core) == []
    assert len(kept(core)) == 1
    assert REFUSED[name] in kept(core)[0]


def test_two_thousand_messages_with_a_name_nobody_asked_for_leave_one_sample(tmp_path: Path) -> None:
    source = SourceSettings(family="zigbee2mqtt", city="town")
    core = Core(Buffer(tmp_path / "gateway.db", 60_000), made_sources([source]))
    body = CASES["noise-z2m-plug"]["payload"].encode()
    core.accept([Incoming("zigbee2mqtt/plug-1", body)] * 2000, NOW)
    assert core.unasked.counts["town", "linkquality"] == 2000
    assert len(core.buffer.rejects.newest()) == 1
    assert core.buffer.counters()["gw_unasked"] == 2000 * 3
