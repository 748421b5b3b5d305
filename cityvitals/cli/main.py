"""The command line: every module of this folder adds its commands, which import the rest when they run."""

from __future__ import annotations

import importlib
import logging
import pkgutil
import sys
from typing import Annotated

import typer

from cityvitals import cli

app = typer.Typer(
    help="Turns a city's sensors into its live U4SSC key performance indicators.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def _logging(verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also log details.")] = False) -> None:
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO, format="%(asctime)s %(name)s: %(message)s", stream=sys.stderr
    )


for _found in pkgutil.iter_modules(cli.__path__):
    if _found.name != "main":
        importlib.import_module(f"{cli.__name__}.{_found.name}").add_to(app)
