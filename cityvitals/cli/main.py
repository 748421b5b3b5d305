"""The command line: every module of this folder adds its commands, which import the rest when they run."""

from __future__ import annotations

import importlib
import logging
import pkgutil
import sys
from typing import Annotated

import typer

from cityvitals import cli
from cityvitals.cli import processes
from cityvitals.help import Sections
from cityvitals.options import GIVEN_FILE

app = typer.Typer(
    cls=Sections,
    help="Turns a city's sensors into its live U4SSC key performance indicators.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from registry.version import version  # noqa: PLC0415

        typer.echo(f"cityvitals {version()}")
        raise typer.Exit


@app.callback()
def _logging(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also log details.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    GIVEN_FILE.set(None)  # of this call, not of one before in the same process
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO, format="%(asctime)s %(name)s: %(message)s", stream=sys.stderr
    )


# A process that runs for months keeps only its own commands in memory.
_runs = sys.argv[1:] and sys.argv[1] in (command.__name__ for command in processes.COMMANDS)
for _found in pkgutil.iter_modules(cli.__path__):
    if _found.name != "main" and (not _runs or _found.name == "processes"):
        importlib.import_module(f"{cli.__name__}.{_found.name}").add_to(app)
