"""`python -m tools.recorded_docs`: write docs/recorded-files.md; with `--check`: exit 1 where it is not current."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from gateway.recorded import FOLDER, families, family
from registry.recorded import Columns, RecordedFamily
from telemetry.quantities import QUANTITIES
from tools.generated import generated

PAGE = Path(__file__).parent.parent / "docs" / "recorded-files.md"
HEAD = """# Recorded files

This page is written by `python -m tools.recorded_docs` from the families in `gateway/recorded/families/`; do not edit
it.

```console
$ cityvitals replay FILES... --city CITY.toml --store sqlite:///city.db
```

The plain layouts `time,device,quantity,value,unit` and `start,end,device,energy_kwh,user_hash` are always read. Files
of the families below are recognised by their columns; `--as FAMILY` names one. `--device ID` names the device of a file
that does not name it itself. Values whose name is not mapped to a quantity are skipped, and the summary counts
them. CSV may be separated by `,` `;` or tabs, in UTF-8, UTF-16 or Windows-1252, gzipped or not. Parquet, and speed,
need `pip install 'cityvitals[export]'`. The database limits a replay, not decoding: see the page on performance.

## Any other file: a column map

Write what the columns are in a file of your own and name it: `--as map.toml`.

```toml
[columns]
time = "Zeitpunkt"                # or several that are joined: ["Date", "Time"]
time_format = "%d.%m.%Y %H:%M"    # where it is not RFC 3339 or seconds since 1970
zone = "city"                     # of times that name none: the city's, or a tz name
stamp = "end"                     # the time is the end of the averaging interval
interval_s = 900
device = "{Meter}"                # columns in braces; {file} is the file's name, {column} the value's column
missing = ["", "---"]             # texts that stand for no value
decimal_comma = true

[columns.values."Leistung (kW)"]  # a quantity and its unit for each column of values
quantity = "power"
unit = "kW"

[devices]                         # names of the file and ids of CITY.toml
"Z\u00e4hler 1" = "meter-1"
```

In a file where a column names the quantity, write `name`, `value`, `unit` and `[columns.names]` in place of
`[columns.values]`; for charging sessions `[columns.session]` with `end`, `energy`, `energy_unit` and `user`. A map
may start from a family, `family = "uk_air"`, and override any of its keys. 24:00 is the end of the day, and the hour
that an autumn night has twice follows the order of the file.
"""


def section(name: str, found: RecordedFamily) -> str:
    """One family."""
    lines = [f"## {found.title}", f"`--as {name}`. It gives {found.gives}."]
    lines.append("".join(f"- {_shape(layout)}\n" for layout in found.layout))
    lines.append("".join(f"- {trap}\n" for trap in found.traps))
    case = tomllib.loads((FOLDER.parent / "cases" / f"{name}.toml").read_text(encoding="utf-8"))["case"][0]
    text, rows = case.get("file", "").strip(), case.get("readings", [])
    if rows and len(text) < 700:
        said = "\n".join(f"{d}  {q}  {v:g} {QUANTITIES[q].unit}  {t}" for d, q, v, t in rows)
        lines.append(f"For example\n\n```\n{text}\n```\n\nbecomes\n\n```\n{said}\n```")
    return "\n\n".join(line.strip("\n") for line in lines if line.strip())


def _shape(layout: Columns) -> str:
    columns = ", ".join(f"`{name}`" for name in layout.has)
    return f"{layout.shape}: recognised by {columns}" if columns else f"{layout.shape}: to be named, it has no header"


def page() -> str:
    """The whole page."""
    table = "\n".join(f"| `{n}` | {family(n).title} | {family(n).gives} |" for n in families())
    sections = "\n\n".join(section(n, family(n)) for n in families())
    return f"{HEAD}\n## Families\n\n| family | files | gives |\n|---|---|---|\n{table}\n\n{sections}\n"


if __name__ == "__main__":
    sys.exit(generated(PAGE, page, sys.argv[1:]))
