"""`python -m tools.device_docs`: write docs/devices.md; with `--check`: exit 1 where it is not current."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from gateway.devices import FOLDER, families, template
from registry.mapping import Template
from telemetry.quantities import QUANTITIES
from telemetry.units import names
from tools.generated import generated

PAGE = Path(__file__).parent.parent / "docs" / "devices.md"
HEAD = """# Device families

This page is written by `python -m tools.device_docs` from the templates in `gateway/devices/`; do not edit it.
How a device is connected, step by step: [Connect a device](how-to/connect-a-device.md).

Name the family in the gateway's configuration and it works. `city` may be left out where the gateway has one city file.
A device on a wire needs its `port`; its id is the family's name (with the Modbus address where that is not 1, such as
`sdm120-3`) unless `device` says another. A device whose own name cannot be an id here (blanks, slashes, umlauts) gets
its id under `devices`; every key of a template can be overridden in the source.
"""


def section(name: str, found: Template) -> str:
    """One family."""
    doors = sorted({m.door for m in found.message})
    places = "".join(f"- {m.door}: `{m.topic}`\n" for m in found.message)
    lines = [f"## {found.title}", f"It gives {found.gives}.", f"Doors: {', '.join(doors)}.\n\n{places}"]
    lines += [_configured(name, more) for more in _ways(found)]
    lines.append("".join(f"- {trap}\n" for trap in found.traps))
    case = tomllib.loads((FOLDER / "cases" / f"{name}.toml").read_text(encoding="utf-8"))["case"][0]
    rows = case.get("readings", [])
    payload = case.get("payload", "").replace("\r", "").strip()
    if payload and rows and len(payload) < 600:
        said = "\n".join(f"{d}  {q}  {v:g} {QUANTITIES[q].unit}  {t}" for d, q, v, t in rows)
        lines.append(f"For example, at `{case['topic']}`:\n\n```\n{payload}\n```\n\nbecomes\n\n```\n{said}\n```")
    return "\n\n".join(line.strip("\n") for line in lines if line.strip())


def _ways(found: Template) -> list[str]:
    """What a source says beside its family, for each way in which the family comes; empty: only its city."""
    doors = {m.door for m in found.message}
    ways = [""] if doors & {"mqtt", "push", "ocpp"} else []
    if "serial" in doors:
        ways.append('port = "/dev/ttyUSB0"\n')
    if "modbus" in doors:
        ways.append('port = "/dev/ttyUSB0"  # or "tcp://192.168.1.20:502"\n')
    return [*ways, *(['folder = "/srv/drop"\n'] if "file" in doors else [])]


def _configured(name: str, more: str) -> str:
    city = "" if more else 'city = "town"\n'
    return f'```toml\n[[gateway.source]]\nfamily = "{name}"\n{city}{more}```'


def units() -> str:
    """The units that are understood, with their spellings."""
    spelt: dict[str, list[str]] = {}
    for spelling, unit in names().items():
        spelt.setdefault(unit, []).append(spelling)
    rows = "\n".join(
        f"| `{unit}` | {' '.join(f'`{s}`' for s in sorted(set(words) - {unit, unit.lower()}))} |"
        for unit, words in sorted(spelt.items())
    )
    head = "## Units\n\nA unit that is named and not understood makes the value a reject."
    return f"{head}\n\n| unit | also written |\n|---|---|\n{rows}"


def page() -> str:
    """The whole page."""
    table = "\n".join(f"| `{n}` | {template(n).title} | {template(n).gives} |" for n in families())
    sections = "\n\n".join(section(n, template(n)) for n in families())
    return f"{HEAD}\n| family | devices | gives |\n|---|---|---|\n{table}\n\n{sections}\n\n{units()}\n"


if __name__ == "__main__":
    sys.exit(generated(PAGE, page, sys.argv[1:]))
