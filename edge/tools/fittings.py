"""What is on a board beside its sensors: Ethernet, LED, button, battery divider. Checked before a board is flashed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from edge.tools.boards import Board, board
from telemetry.errors import nearest

# Keys of `lan` by chip: those it must have, and those that it may have.
_LAN = {
    "lan8720": ({"mdc", "mdio"}, {"address", "power"}),
    "w5500": ({"sck", "mosi", "miso", "cs", "int"}, set()),
}
_OUTPUTS = ("mdc", "mdio", "power", "sck", "mosi", "cs")


def faults(conf: Mapping[str, Any]) -> list[str]:
    """What is wrong with them in a configuration that the firmware accepts, as sentences."""
    lan = conf["lan"]
    found = _lan_keys(lan) if lan else []
    if conf["board"] and not found:
        on = board(conf["board"])
        pins = list(_pins(conf))
        found = _chip(lan, on) + [text for where, pin, output in pins for text in _pin(where, pin, output, on)]
        found += _twice(conf, pins, on)
        if battery := conf["battery"]:
            found += _divider(battery.get("pin"), on)
    return found


def _lan_keys(lan: Mapping[str, Any]) -> list[str]:
    phy = lan.get("phy")
    if phy not in _LAN:
        return [f"lan.phy: '{phy}' is not a supported chip; {nearest(str(phy), _LAN)}"]
    needs, may = _LAN[phy]
    given = set(lan) - {"phy"}
    found = [f"lan: the {phy} needs '{key}'." for key in sorted(needs - given)]
    found += [
        f"lan: the {phy} does not have '{key}'; {nearest(key, needs | may)}" for key in sorted(given - needs - may)
    ]
    return found + [f"lan.{key}: write a number." for key in sorted(given) if type(lan[key]) is not int]


def _chip(lan: Mapping[str, Any], on: Board) -> list[str]:
    if lan.get("phy") == "lan8720" and not on.ethernet:
        return [f"lan: the {on.title} has no Ethernet interface for a LAN8720; use a W5500 on SPI."]
    return []


def _pins(conf: Mapping[str, Any]) -> Iterator[tuple[str, int, bool]]:
    """(key, pin, whether it is an output)."""
    for key in ("led", "button"):
        if conf[key] >= 0:
            yield key, conf[key], key == "led"
    for key, pin in conf["lan"].items():
        if key not in ("phy", "address"):
            yield f"lan.{key}", pin, key in _OUTPUTS


def _pin(where: str, pin: int, output: bool, on: Board) -> list[str]:
    if pin not in on.pins:
        return [f"{where} = {pin}: the {on.title} does not have GPIO{pin}."]
    if on.taken.get(pin, "strapping") != "strapping":
        return [f"{where} = {pin}: on the {on.title} GPIO{pin} is used for the {on.taken[pin]}."]
    if pin in on.reads and (output or where == "button"):
        why = "is only an input" if output else "has no pull-up resistor"
        return [f"{where} = {pin}: on the {on.title} GPIO{pin} {why}."]
    return []


def _twice(conf: Mapping[str, Any], pins: list[tuple[str, int, bool]], on: Board) -> list[str]:
    """Pins with two uses: also those of sensors, and those that the chip's own Ethernet interface takes."""
    keys = ("rx", "tx", "de", "pin", "sda", "scl", "sck", "ws", "sd", "mosi", "miso", "cs")
    used = {
        one[key]: one["driver"] for one in conf["sensors"] for key in keys if isinstance(one.get(key), int)
    }  # fmt: skip
    found = [f"{where} = {pin}: {used[pin]} has this pin." for where, pin, _ in pins if pin in used]
    if conf["lan"].get("phy") == "lan8720":
        own = [(where, pin) for where, pin, _ in pins if pin in on.ethernet]
        own += [(name, pin) for pin, name in used.items() if pin in on.ethernet]
        found += [f"{where} = {pin}: Ethernet uses this pin of the {on.title}." for where, pin in own]
    seen: dict[int, str] = {}
    for where, pin, _ in pins:
        if pin in seen:
            found.append(f"{where} = {pin}: {seen[pin]} has this pin.")
        seen[pin] = where
    return found


def _divider(pin: object, on: Board) -> list[str]:
    if pin in on.analog:
        return []
    return [f"battery.pin = {pin}: it cannot measure voltages; use one of {', '.join(map(str, on.analog))}."]
