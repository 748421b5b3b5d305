"""Options that several commands have, described once: one name, one meaning, one sentence."""

from __future__ import annotations

import getpass
import os
import shutil
import sys
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated

import typer

from telemetry.errors import UsageError

_WIDE = 200
# The city file of this call: the store that is opened for it may have an older one.
GIVEN_FILE: ContextVar[Path | None] = ContextVar("city file", default=None)
STORE_HELP = "sqlite:///city.db or influxdb://host:8086/database"


def city_id(text: str) -> str:
    """The city's id; of a city file its id. Raises UsageError for a file that is not a valid one."""
    GIVEN_FILE.set(None)
    if not text.endswith(".toml"):
        return text
    from registry.config import load_city  # noqa: PLC0415

    GIVEN_FILE.set(Path(text))
    return load_city(Path(text)).city.id


def city_path(path: Path) -> Path:
    """The path. Raises UsageError for an id in its place."""
    if path.suffix == ".toml" or path.exists():
        return path
    raise UsageError(f"There is no file {path}; this command reads the city file: --city {path}.toml.")


StoreUrl = Annotated[str, typer.Option("--store", help=STORE_HELP)]
CityId = Annotated[str, typer.Option("--city", callback=city_id, help="The city's id, or its city file.")]
CityFile = Annotated[Path, typer.Option("--city", callback=city_path, help="The city file, CITY.toml.")]
PeriodText = Annotated[str, typer.Option("--period", help="2018, 2018-Q3, 2018-07 or 2018-07-01.")]
Codes = Annotated[list[str] | None, typer.Option("--code", help="Only this KPI; may be repeated.")]
Form = Annotated[str, typer.Option("--format", help="table, json or csv.")]
TextForm = Annotated[str, typer.Option("--format", help="text or json.")]
TableForm = Annotated[str, typer.Option("--format", help="table or json.")]
Targets = Annotated[Path | None, typer.Option("--targets", help="A file of [[target]] entries instead of the city's.")]
Config = Annotated[Path | None, typer.Option("--config", help="The configuration file, cityvitals.toml.")]
BufferFile = Annotated[Path | None, typer.Option("--buffer", help="The gateway's file; default: the configured one.")]
Pki = Annotated[Path, typer.Option("--pki", help="The folder of authorities and certificates.")]
RegionName = Annotated[str, typer.Option("--region", help="Only cities with this `region` in [city].")]
GroupName = Annotated[str, typer.Option("--group", help="Only cities with this `group` in [city].")]
Seed = Annotated[int, typer.Option("--seed", help="The same seed gives the same result.")]


Who = Annotated[str, typer.Option("--who", help="The person who does this; default: the login name.")]


def by(who: str) -> str:
    """The name that was given, else that of the login; empty where there is none."""
    if who:
        return who
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no entry in the list of users
        return ""


def width() -> int:
    """Columns for a table: the terminal's, or COLUMNS; where the output goes to a program, wide."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS"):
        return shutil.get_terminal_size().columns
    return _WIDE
