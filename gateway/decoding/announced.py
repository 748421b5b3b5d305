"""Devices that announce themselves for Home Assistant (MQTT discovery), and the sources by which a gateway reads them.

A retained message at `<prefix>/sensor/<node>/<object>/config`, or for all values of a device at
`<prefix>/device/<object>/config`, states where a value is sent, by which template it is taken out of the message, its
unit and its class. Keys may be abbreviated, and `~` stands for a base topic. Of templates, plain paths are understood:
`{{ value_json.ENERGY.Total | float }}`; a template that calculates is reported and left out. Pure.
Source: the documentation of Home Assistant's MQTT integration.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from telemetry.quantities import QUANTITIES, conversion

_TOPIC = re.compile(r"[^/]+/(sensor|device)/([^/]+/)?([^/]+)/config")
_LONG = {
    "cmps": "components", "dev": "device", "dev_cla": "device_class", "ids": "identifiers", "p": "platform",
    "stat_cla": "state_class", "stat_t": "state_topic", "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
}  # fmt: skip
_QUANTITIES = {
    "aqi": None, "atmospheric_pressure": "pressure", "carbon_dioxide": "co2", "carbon_monoxide": "co",
    "current": "current", "energy": "energy_total", "frequency": "frequency", "gas": "gas_total",
    "humidity": "humidity", "nitrogen_dioxide": "no2", "ozone": "o3", "pm1": "pm1", "pm10": "pm10", "pm25": "pm2_5",
    "pm4": "pm4", "power": "power", "power_factor": "power_factor", "pressure": "pressure",
    "sound_pressure": "laeq", "sulphur_dioxide": "so2", "temperature": "temperature", "voltage": "voltage",
    "water": "water_total", "wind_speed": "wind_speed",
}  # fmt: skip
_TOTALS = frozenset({"energy_total", "gas_total", "water_total"})
_OF_A_PERIOD = re.compile(r"today|yesterday|daily|week|month|year|last|session", re.IGNORECASE)
_PLAIN = re.compile(r"\{\{-?\s*(value_json|value)((?:\.\w+|\[(?:'[^']+'|\"[^\"]+\"|\d+)\])*)\s*(\|[^}]*)?-?\}\}")
_STEP = re.compile(r"\.(\w+)|\['([^']+)'\]|\[\"([^\"]+)\"\]|\[(\d+)\]")
_HARMLESS = re.compile(r"\|\s*(?:float|int|round|default|string|is_defined)\s*(?:\([^)]*\))?\s*")


class Announced(NamedTuple):
    """One value: who sends it, on which topic, at which path ("" where the message is the bare value), and its unit."""

    sender: str
    topic: str
    path: str
    quantity: str
    unit: str
    name: str


class Unclear(NamedTuple):
    """A value that no line of configuration can be made for, and why."""

    sender: str
    reason: str


def announced(topic: str, payload: bytes) -> list[Announced | Unclear] | None:
    """What a discovery message announces; None where the message is none. Values without a use here are left out."""
    match = _TOPIC.fullmatch(topic)
    if match is None:
        return None
    try:
        message = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return [] if not payload else None
    if not isinstance(message, dict):
        return None
    whole = _long(message)
    parts = whole.get("components")
    if match[1] == "device":
        components = parts if isinstance(parts, dict) else {}
    else:
        components = {match[3]: {"platform": "sensor"}} if "state_topic" in whole else {}
    found = [
        value
        for name, part in components.items()
        if isinstance(part, dict)
        for value in _value(str(name), {**whole, **_long(part)}, (match[2] or match[3]).strip("/"))
    ]
    return found if components else None


def _long(message: dict[str, Any]) -> dict[str, Any]:
    """A message with its keys spelled out, and `~` at either end of a topic replaced by the base topic."""
    base = message.get("~", "")
    spelled = {_LONG.get(key, key): value for key, value in message.items()}
    state = spelled.get("state_topic")
    if isinstance(state, str) and isinstance(base, str) and base:
        spelled["state_topic"] = re.sub(r"^~|~$", lambda _: base, state)
    return spelled


def _value(name: str, part: dict[str, Any], node: str) -> Iterator[Announced | Unclear]:
    kind, topic = part.get("device_class"), part.get("state_topic")
    if part.get("platform") != "sensor" or not isinstance(kind, str) or not isinstance(topic, str):
        return
    quantity = _QUANTITIES.get(kind)
    if quantity is None or not topic or set("+#{}") & set(topic):
        return
    sender, unit = _sender(part.get("device"), node), part.get("unit_of_measurement")
    what = f"{name} ({kind})"
    if quantity in _TOTALS and part.get("state_class") == "measurement":
        yield Unclear(sender, f"{what} is not a register: its state class is 'measurement'")
    elif not isinstance(unit, str) or conversion(QUANTITIES[quantity], unit) is None:
        yield Unclear(sender, f"{what} has the unit '{unit or ''}', which is not one of {quantity}")
    elif (path := _path(part.get("value_template"))) is None:
        yield Unclear(sender, f"{what} is calculated by a template: {part.get('value_template')}")
    else:
        yield Announced(sender, topic, path, quantity, unit, name)


def _sender(device: object, node: str) -> str:
    """How the device names itself: its name, else its first identifier, else the level of the topic."""
    if not isinstance(device, dict):
        return node
    said = _long(device)
    identifiers = said.get("identifiers")
    first = identifiers[0] if isinstance(identifiers, list) and identifiers else identifiers
    return next((name for name in (said.get("name"), first) if isinstance(name, str) and name.strip()), node)


def _path(template: object) -> str | None:
    """The JMESPath of a template that is a plain path; "" for the bare value; None for one that calculates."""
    if template is None:
        return ""
    match = _PLAIN.fullmatch(template.strip()) if isinstance(template, str) else None
    if match is None or _HARMLESS.sub("", match[3] or "").strip():
        return None
    if match[1] == "value":
        return None if match[2] else ""
    path = ""
    for word, single, double, number in _STEP.findall(match[2]):
        name = word or single or double
        path += f"[{number}]" if number else f"{'.' if path else ''}{_quoted(name)}"
    return path or None


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else json.dumps(name)


def settled(values: Iterable[Announced | Unclear]) -> tuple[list[Announced], list[Unclear]]:
    """The values with at most one of each quantity of a device. Registers of a day or month give way to the total."""
    together: dict[tuple[str, str], set[Announced]] = defaultdict(set)
    unclear = set()
    for value in values:
        if isinstance(value, Announced):
            together[value.sender, value.quantity].add(value)
        else:
            unclear.add(value)
    found = []
    for (sender, quantity), several in together.items():
        whole = [v for v in several if quantity not in _TOTALS or not _OF_A_PERIOD.search(f"{v.name} {v.path}")]
        chosen = whole or list(several)
        if len(chosen) == 1:
            found += chosen
        else:
            names = ", ".join(sorted(v.name for v in chosen))
            unclear.add(Unclear(sender, f"{quantity} is sent {len(chosen)} times ({names}): configure one of them"))
    return sorted(found), sorted(unclear)


def sources(values: Iterable[Announced], city: str, ids: dict[str, str]) -> list[dict[str, Any]]:
    """One source of the configuration for each device and topic. `ids`: the registry's id of each sender."""
    grouped: dict[tuple[str, str, bool], dict[str, dict[str, str]]] = defaultdict(dict)
    for value in values:
        measured = {"quantity": value.quantity, "unit": value.unit}
        grouped[ids[value.sender], value.topic, not value.path][value.path or "value"] = measured
    return [
        {"topic": topic, "format": "plain" if bare else "json", "city": city, "device": device, "values": measured}
        for (device, topic, bare), measured in grouped.items()
    ]
