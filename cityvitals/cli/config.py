"""`cityvitals config`: print the configuration in force, or check it, without opening a socket."""

from __future__ import annotations

import re
import sys

import typer

from cityvitals.cli import RUN
from cityvitals.options import Config

app = typer.Typer(help="Configuration: print it, check it.", no_args_is_help=True)


def add_to(parent: typer.Typer) -> None:
    """Register the group."""
    parent.add_typer(app, name="config", rich_help_panel=RUN)


@app.command("print")
def print_config(config: Config = None) -> None:
    """Print every key with its effective value, secrets as stars. Example: cityvitals config print."""
    import tomlkit  # noqa: PLC0415

    from registry.config import load_settings  # noqa: PLC0415

    plain = load_settings(config).model_dump(mode="json", exclude_none=True)
    text = tomlkit.dumps(plain)
    sys.stdout.write(re.sub(r'(//[^/@:"]*:)[^/"]*@', r"\1**********@", text))  # passwords in URLs, too


@app.command("check")
def check_config(config: Config = None) -> None:
    """Check the configuration and the city files it names. Example: cityvitals config check --config c.toml."""
    from cityvitals.sources import sources_of  # noqa: PLC0415
    from gateway.source_check import check_doors  # noqa: PLC0415
    from registry.config import load_settings  # noqa: PLC0415
    from reporting.city_file import read_city  # noqa: PLC0415

    settings = load_settings(config)
    cities = [read_city(path) for path in settings.city_files]
    check_doors(settings.gateway, sources_of(settings.gateway, cities))
    sys.stdout.write("The configuration is valid.\n")
    for city in cities:
        sys.stdout.write(f"  {city.id}: {len(city.device)} devices\n")
