"""Devices that announce themselves by Home Assistant's MQTT discovery: what is read of it, and the lines it gives."""

from __future__ import annotations

import json
import tomllib
from zoneinfo import ZoneInfo

import pytest

from cityvitals.discover import Found, report
from gateway.decoding.announced import Announced, Unclear, announced
from gateway.sources import made_sources
from registry.settings import SourceSettings

ZONE = ZoneInfo("UTC")


SENSOR = "homeassistant/sensor/hall/t/config"


def config(topic: str, keys: dict[str, object]) -> list[Announced | Unclear] | None:
    return announced(topic, json.dumps(keys).encode())


def one(**keys: object) -> Announced | Unclear:
    [value] = config(SENSOR, {"state_topic": "hall/state", **keys}) or []
    return value


def test_a_sensor_is_read_with_full_and_with_abbreviated_keys() -> None:
    wanted = Announced("Hall", "hall/state", "temperature", "temperature", "°C", "t")
    full = one(
        device_class="temperature",
        unit_of_measurement="°C",
        value_template="{{ value_json.temperature }}",
        device={"identifiers": ["0x17"], "name": "Hall"},
    )
    short = announced(
        "homeassistant/sensor/hall/t/config",
        b'{"~":"hall","stat_t":"~/state","dev_cla":"temperature","unit_of_meas":"\xc2\xb0C",'
        b'"val_tpl":"{{ value_json.temperature }}","dev":{"ids":"0x17","name":"Hall"}}',
    )
    assert full == wanted
    assert short == [wanted]


def test_one_message_announces_all_values_of_a_device() -> None:
    parts = {
        "p": {"p": "sensor", "dev_cla": "power", "unit_of_meas": "kW", "val_tpl": "{{ value_json.p }}"},
        "e": {"p": "sensor", "dev_cla": "energy", "unit_of_meas": "kWh", "val_tpl": "{{ value_json.e }}"},
        "button": {"p": "button", "cmd_t": "meter/cmd"},
    }
    found = config("homeassistant/device/meter/config", {"dev": {"ids": "m-1"}, "stat_t": "meter/state", "cmps": parts})
    assert found == [
        Announced("m-1", "meter/state", "p", "power", "kW", "p"),
        Announced("m-1", "meter/state", "e", "energy_total", "kWh", "e"),
    ]


@pytest.mark.parametrize(
    ("template", "path"),
    [
        (None, ""),
        ("{{ value }}", ""),
        ("{{ value | float(0) }}", ""),
        ("{{value_json.ENERGY.Total|round(1)}}", "ENERGY.Total"),
        ("{{ value_json['PM2.5'] }}", '"PM2.5"'),
        ('{{ value_json.apower["by_minute"][0] | default(0) | float }}', "apower.by_minute[0]"),
    ],
)
def test_a_template_that_is_a_plain_path_becomes_that_path(template: str | None, path: str) -> None:
    value = one(device_class="power", unit_of_measurement="W", value_template=template)
    assert isinstance(value, Announced)
    assert value.path == path


@pytest.mark.parametrize(
    "template",
    [
        "{{ value_json.a + value_json.b }}",
        "{% if value_json.a %}1{% endif %}",
        "{{ value_json.t | multiply(10) }}",
        "{{ value.split(',')[0] }}",
        "{{ value_json }}",
        7,
    ],
)
def test_a_template_that_calculates_is_left_out_with_the_reason(template: object) -> None:
    value = one(device_class="power", unit_of_measurement="W", value_template=template)
    assert isinstance(value, Unclear)
    assert "calculated by a template" in value.reason


def test_a_unit_that_does_not_belong_and_a_register_that_is_none_are_left_out() -> None:
    unit = one(device_class="temperature", unit_of_measurement="kWh")
    register = one(device_class="energy", unit_of_measurement="kWh", state_class="measurement")
    assert unit == Unclear("hall", "t (temperature) has the unit 'kWh', which is not one of temperature")
    assert register == Unclear("hall", "t (energy) is not a register: its state class is 'measurement'")


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("homeassistant/sensor/hall_temperature/state", b"21.5"),
        ("homeassistant/switch/hall/config", b"{}"),
        ("homeassistant/sensor/hall/config", b"21.5"),
        ("homeassistant/sensor/hall/config", b"\xff{"),
        ("homeassistant/sensor/hall/config", b'{"a": 1}'),
    ],
)
def test_other_messages_are_no_announcements(topic: str, payload: bytes) -> None:
    assert announced(topic, payload) is None


def test_a_removed_announcement_and_values_without_a_use_give_nothing() -> None:
    assert announced("homeassistant/sensor/hall/config", b"") == []
    battery: dict[str, object] = {"state_topic": "hall/state", "device_class": "battery", "unit_of_measurement": "%"}
    wildcard: dict[str, object] = {"state_topic": "hall/+", "device_class": "power", "unit_of_measurement": "W"}
    assert config(SENSOR, battery) == []
    assert config(SENSOR, wildcard) == []


def add(found: Found, topic: str, payload: object) -> None:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    found.add(text.encode(), topic, 1_764_000_000_000, ZONE)


def test_discover_prints_lines_that_read_the_announced_device() -> None:
    found = Found()
    device = {"ids": ["a1"], "name": "Küche 1"}
    for name, kind, unit in [("total", "energy", "Wh"), ("today", "energy", "Wh"), ("power", "power", "kW")]:
        path = f"{{{{ value_json.{name} }}}}"
        said = {"stat_t": "kitchen/meter", "dev_cla": kind, "unit_of_meas": unit, "val_tpl": path, "dev": device}
        add(found, f"homeassistant/sensor/a1/{name}/config", said)
    add(found, "homeassistant/sensor/b/t/config", {"stat_t": "roof/t", "dev_cla": "temperature", "unit_of_meas": "°F"})
    add(found, "kitchen/meter", {"total": 1500, "today": 3, "power": 0.25})
    text = "\n".join(report(found, []))

    assert "energy_total           1.5 kWh" in text
    assert "power                  250 W" in text
    assert "temperature            not seen yet (Cel)" in text
    assert "kitchen/meter (1)" not in text, "an announced topic is not an unknown one"
    settings, city = text.split("# cityvitals.toml")[1].split("# CITY.toml")
    made = tomllib.loads(settings)["gateway"]["source"]
    kitchen = next(s for s in made if s["topic"] == "kitchen/meter")
    assert kitchen["values"] == {
        "power": {"quantity": "power", "unit": "kW"},
        "total": {"quantity": "energy_total", "unit": "Wh"},
    }
    assert {d["id"] for d in tomllib.loads(city)["device"]} == {kitchen["device"], "b"}
    source = next(s for s in made_sources([SourceSettings(**s) for s in made]) if s.topic == "roof/t")
    assert source.reading is not None
    rows = source.reading.bind("roof/t", {}, "city")(b"50", 0, source.options).rows
    assert [(row[0], row[1], row[2]) for row in rows] == [("temperature", "°F", 50.0)]


def test_a_device_that_a_family_reads_is_configured_by_its_family_alone() -> None:
    found = Found()
    said = {"stat_t": "tele/plug-7/SENSOR", "dev_cla": "power", "unit_of_meas": "W", "dev": {"name": "Plug"}}
    add(found, "homeassistant/sensor/x/power/config", {**said, "val_tpl": "{{ value_json.ENERGY.Power }}"})
    add(found, "tele/plug-7/SENSOR", {"Time": "2025-11-20T11:00:00", "ENERGY": {"Total": 312.6, "Power": 148}})
    text = "\n".join(report(found, []))
    assert 'family = "tasmota"' in text
    assert "announced" not in text


def test_two_values_of_one_quantity_are_left_to_the_reader() -> None:
    found = Found()
    for name in ("inside", "outside"):
        said = {"stat_t": f"house/{name}", "dev_cla": "temperature", "unit_of_meas": "°C", "dev": {"name": "House"}}
        add(found, f"homeassistant/sensor/{name}/config", said)
    text = "\n".join(report(found, []))
    assert "House: temperature is sent 2 times (inside, outside): configure one of them" in text
    assert "house/inside" not in text
